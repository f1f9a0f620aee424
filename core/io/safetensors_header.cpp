#include "core/io/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/error.h"

namespace bitlab {

using Json = nlohmann::json;

namespace {

constexpr std::size_t kAlignment = 64;

struct DTypeEntry {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr DTypeEntry kDTypes[] = {{DType::F64, "F64", 8}, {DType::F32, "F32", 4},
                                  {DType::F16, "F16", 2}, {DType::BF16, "BF16", 2},
                                  {DType::I64, "I64", 8}, {DType::I32, "I32", 4},
                                  {DType::I16, "I16", 2}, {DType::I8, "I8", 1},
                                  {DType::U8, "U8", 1},   {DType::Bool, "BOOL", 1}};

const DTypeEntry& entry_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

// The beginning of what a hostile file may have made long.
std::string brief(const std::string& text) {
  return text.size() <= 120 ? text : text.substr(0, 120) + "...";
}

// Parses a header that nobody vouches for: no deep nesting, no name twice.
Json parse_json(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> names(1);
  const auto check = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= 3) throw Error(where, "header must not be nested deeper than 3 levels");
      names.resize(static_cast<std::size_t>(depth) + 2);
      names.back().clear();
    }
    if (event == Event::key) {
      const std::string name = value.get<std::string>();
      if (!names.at(static_cast<std::size_t>(depth)).insert(name).second)
        throw Error(where,
                    "each name must appear once in the header, but '" + name + "' comes twice");
    }
    return true;
  };
  try {
    Json header = Json::parse(text, check);
    if (!header.is_object()) throw Error(where, "header must be a JSON object");
    return header;
  } catch (const Json::exception& e) {
    throw Error(where, "header must be JSON, but " + brief(e.what()));
  }
}

std::uint64_t whole_number(const Json& value, const std::string& where, const std::string& what) {
  if (!value.is_number_unsigned())
    throw Error(where, what + " must be a whole number, but is " + brief(value.dump()));
  return value.get<std::uint64_t>();
}

DType parse_dtype(const Json& value, const std::string& where, const std::string& name) {
  std::string known;
  for (const DTypeEntry& e : kDTypes) {
    if (value.is_string() && value.get_ref<const std::string&>() == e.name) return e.dtype;
    known += std::string(known.empty() ? "" : ", ") + e.name;
  }
  throw Error(
      where, "dtype of '" + name + "' must be one of " + known + ", but is " + brief(value.dump()));
}

// Bytes of a tensor of this shape; throws if the number does not fit 64 bits.
std::uint64_t checked_bytes(const TensorBytes& tensor, const std::string& where) {
  std::uint64_t bytes = dtype_size(tensor.dtype);
  for (const std::size_t n : tensor.shape) {
    if (__builtin_mul_overflow(bytes, std::uint64_t{n}, &bytes))
      throw Error(where,
                  "shape of '" + tensor.name + "' must fit in memory, but its size overflows");
  }
  return bytes;
}

PlacedTensor parse_tensor(const std::string& name,
                          const Json& info,
                          std::uint64_t data_size,
                          const std::string& where) {
  const auto shape_of = [&]() -> const Json& { return info.at("shape"); };
  if (!info.is_object() || info.size() != 3 || !info.contains("dtype") || !info.contains("shape") ||
      !info.contains("data_offsets") || !shape_of().is_array())
    throw Error(where, "'" + name + "' must have dtype, shape and data_offsets and nothing else");
  PlacedTensor placed{{name, parse_dtype(info.at("dtype"), where, name), {}, nullptr}, 0, 0};
  for (const Json& n : shape_of())
    placed.tensor.shape.push_back(whole_number(n, where, "shape of '" + name + "'"));
  const Json& offsets = info.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    throw Error(where, "data_offsets of '" + name + "' must be two numbers");
  placed.begin = whole_number(offsets[0], where, "data_offsets of '" + name + "'");
  placed.end = whole_number(offsets[1], where, "data_offsets of '" + name + "'");
  if (placed.begin > placed.end || placed.end > data_size)
    throw Error(where,
                "data_offsets of '" + name + "' must lie within the " + std::to_string(data_size) +
                    " data bytes, but are " + brief(offsets.dump()),
                placed.begin > placed.end ? "" : "the file may have been cut off: fetch it again");
  const std::uint64_t bytes = checked_bytes(placed.tensor, where);
  if (placed.end - placed.begin != bytes)
    throw Error(where, "'" + name + "' must have " + std::to_string(bytes) +
                           " bytes by its shape, but has " +
                           std::to_string(placed.end - placed.begin));
  return placed;
}

// Sorts by place and checks that the tensors fill the data without overlap or hole.
void check_places(std::vector<PlacedTensor>& tensors,
                  std::uint64_t data_size,
                  const std::string& where) {
  std::sort(tensors.begin(), tensors.end(), [](const PlacedTensor& a, const PlacedTensor& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t expected = 0;
  for (const PlacedTensor& p : tensors) {
    if (p.begin != expected)
      throw Error(where, "tensors must follow each other without overlap or hole, but '" +
                             p.tensor.name + "' begins at " + std::to_string(p.begin) +
                             " and not at " + std::to_string(expected));
    expected = p.end;
  }
  if (expected != data_size)
    throw Error(where,
                "tensors must fill the file, but end at data byte " + std::to_string(expected) +
                    " of " + std::to_string(data_size),
                "the file may be damaged");
}

}  // namespace

std::size_t dtype_size(DType dtype) { return entry_of(dtype).size; }
std::string dtype_name(DType dtype) { return entry_of(dtype).name; }

std::size_t TensorBytes::size() const {
  std::size_t n = 1;
  for (const std::size_t extent : shape) n *= extent;
  return n;
}

std::string build_safetensors_header(const std::vector<TensorBytes>& tensors,
                                     const std::map<std::string, std::string>& metadata,
                                     const std::string& where) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  std::set<std::string> names{"__metadata__"};
  for (const TensorBytes& t : tensors) {
    if (!names.insert(t.name).second)
      throw Error(where,
                  "each tensor must have a name of its own, but '" + t.name + "' comes twice");
    header[t.name] = {{"dtype", dtype_name(t.dtype)},
                      {"shape", t.shape},
                      {"data_offsets", {offset, offset + t.bytes()}}};
    offset += t.bytes();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& e) {
    throw Error(where, std::string("names and metadata must be UTF-8, but ") + e.what());
  }
  text.append((kAlignment - (8 + text.size()) % kAlignment) % kAlignment, ' ');
  return text;
}

SafetensorsHeader parse_safetensors_header(std::string_view text,
                                           std::uint64_t data_size,
                                           const std::string& where) {
  const Json json = parse_json(text, where);
  SafetensorsHeader header;
  for (const auto& [name, info] : json.items()) {
    if (name != "__metadata__") {
      header.tensors.push_back(parse_tensor(name, info, data_size, where));
      continue;
    }
    if (!info.is_object()) throw Error(where, "__metadata__ must map text to text");
    for (const auto& [key, value] : info.items()) {
      if (!value.is_string()) throw Error(where, "__metadata__ must map text to text");
      header.metadata[key] = value.get<std::string>();
    }
  }
  check_places(header.tensors, data_size, where);
  return header;
}

}  // namespace bitlab
