#pragma once
// The JSON header of a safetensors file, built and checked. Used by safetensors.cpp.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/safetensors.h"

namespace bitlab {

struct PlacedTensor {
  TensorBytes tensor;
  std::uint64_t begin, end;  // within the data
};

struct SafetensorsHeader {
  std::vector<PlacedTensor> tensors;  // in the order of their bytes
  std::map<std::string, std::string> metadata;
};

// Checks a header that nobody vouches for: names once, known dtypes, and tensors that fill exactly
// the data_size bytes after it. Throws Error.
SafetensorsHeader parse_safetensors_header(std::string_view text,
                                           std::uint64_t data_size,
                                           const std::string& where);

// The header for these tensors one after the other, padded so that the data starts at a multiple of
// 64 bytes.
std::string build_safetensors_header(const std::vector<TensorBytes>& tensors,
                                     const std::map<std::string, std::string>& metadata,
                                     const std::string& where);

}  // namespace bitlab
