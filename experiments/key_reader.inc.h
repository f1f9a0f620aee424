#pragma once
// Keys of a config.json. For .cpp files only, after <nlohmann/json.hpp>.
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <vector>

namespace bitlab {

using nlohmann::json;

// Reads keys one by one and remembers them, so that in the end the others can be told.
class KeyReader {
 public:
  KeyReader(const json& object, std::string path) : object_(object), path_(std::move(path)) {}

  // Null where there is no such key, or its value is null.
  const json* find(const std::string& key) {
    known_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  template <class T>
  T get(const std::string& key, T otherwise) {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    try {
      return value->get<T>();
    } catch (const json::exception&) {
      refuse(key, std::string("of type ") + json(otherwise).type_name());
      return otherwise;
    }
  }
  std::int64_t whole(const std::string& key,
                     std::int64_t otherwise,
                     std::int64_t largest = std::int64_t{1} << 24) {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    const bool good = value->is_number_integer() && value->get<std::int64_t>() >= 1 &&
                      value->get<std::int64_t>() <= largest;
    if (!good) refuse(key, "a whole number from 1 to " + std::to_string(largest));
    return good ? value->get<std::int64_t>() : otherwise;
  }
  std::int64_t need(const std::string& key, std::int64_t largest = std::int64_t{1} << 24) {
    if (find(key) == nullptr) problems_ += "\n  " + path_ + key + " is missing";
    return whole(key, 1, largest);
  }
  // Notes that a value is not one that these models have.
  void refuse(const std::string& key, const std::string& must) {
    problems_ += "\n  " + path_ + key + " must be " + must + ", but is " + object_.at(key).dump();
  }
  // A value that changes the arithmetic when it is not `neutral` (or absent, null, false or 0).
  void refuse_unless(const std::string& key, const json& neutral, const std::string& must) {
    const json* value = find(key);
    if (value != nullptr && *value != neutral && *value != json(false) && *value != json(0))
      refuse(key, must);
  }
  void ignore(std::initializer_list<const char*> keys) { known_.insert(keys.begin(), keys.end()); }

  std::vector<std::string> unknown() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object_.items())
      if (known_.count(key) == 0 && !value.is_null() && value != json(false)) keys.push_back(key);
    return keys;
  }
  const std::string& problems() const { return problems_; }

 private:
  const json& object_;
  std::string path_;  // of the object within the file, "" or "quantization_config."
  std::set<std::string> known_;
  std::string problems_;
};

}  // namespace bitlab
