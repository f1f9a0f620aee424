#pragma once
// The safetensors format: a JSON header with names, dtypes, shapes and offsets, then raw little-endian data.
// (Interface given by the lead for checkpoints; implementation in safetensors.cpp.)
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bitlab {

enum class Dtype { F64, F32, F16, BF16, I64, I32, I8, U8 };

std::size_t dtype_size(Dtype dtype);       // bytes
std::string dtype_name(Dtype dtype);       // "F32"

// One tensor; the memory is somebody else's.
struct TensorRef {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::size_t> shape;
  const void* data = nullptr;

  std::size_t elements() const;
  std::size_t bytes() const { return elements() * dtype_size(dtype); }
};

// Writes the file atomically (temporary, fsync, rename), tensors in the given order, the first byte of data at a
// multiple of 64. Throws Error if two names are equal or the disk refuses.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorRef>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

// A file opened by mmap. The header is checked against the file before anything is believed: its length, every
// offset, overlap, dtype, shape and name. Throws Error for what is not a well-formed safetensors file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  SafetensorsFile(SafetensorsFile&&) noexcept;
  ~SafetensorsFile();

  const std::vector<TensorRef>& tensors() const;                 // in file order; data points into the map
  const TensorRef* find(const std::string& name) const;          // null if absent
  const TensorRef& at(const std::string& name) const;            // throws Error that names the file
  const std::map<std::string, std::string>& metadata() const;
  const std::filesystem::path& path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitlab
