#pragma once
// Keys of a JSON object that may be missing. For .cpp files only, after <nlohmann/json.hpp>.

namespace bitlab {

// The value of a key; `otherwise` if it is missing or null.
template <class Value, class Json>
Value value_or(const Json& object, const char* key, Value otherwise) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? otherwise : found->template get<Value>();
}

}  // namespace bitlab
