#pragma once
// Weights on disk: the safetensors format. 8 bytes of header length (little-endian), a JSON header
// that gives each tensor's dtype, shape and place, then the bytes of all tensors without holes,
// row-major, little-endian.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/io/mapped_file.h"
#include "core/io/small_floats.h"

namespace bitlab {

enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

std::size_t dtype_size(DType dtype);  // bytes an element
std::string dtype_name(DType dtype);  // as in the file: "F32"

// A tensor that somebody else owns. In a reader `data` may be unaligned: copy, or use the read
// functions.
struct TensorBytes {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::size_t> shape;  // empty: one number
  const void* data = nullptr;
  // Of a tensor to write: `data` holds floats, which are rounded to dtype F16 or BF16 on their way
  // (core/io/small_floats.h).
  bool from_floats = false;

  std::size_t size() const;  // elements
  std::size_t bytes() const { return size() * dtype_size(dtype); }
};

// Writes all tensors in the order given, through a temporary that is renamed when it is safely on
// disk. The data starts at a multiple of 64 bytes. Throws Error if two tensors share a name, the
// disk is full or floats are to become something else than F32, F16 or BF16; `path` is then what it
// was. `written` is told of each tensor whose data is no longer needed.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<TensorBytes>& tensors,
                       const std::map<std::string, std::string>& metadata = {},
                       const std::function<void(const TensorBytes&)>& written = {});

// A safetensors file, mapped into memory. The constructor checks the whole header against the size
// of the file and throws Error for anything that does not add up, so the data can be trusted to be
// there.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::vector<TensorBytes>& tensors() const {
    return tensors_;
  }  // in the order of their bytes
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool contains(const std::string& name) const;
  // Throws Error if there is no such tensor.
  const TensorBytes& at(const std::string& name) const;

  // Copies a tensor of n elements to out. Floating dtypes are converted to that of `out`; anything
  // else must match. Throws Error if the name, the dtype or n is wrong. What was copied no longer
  // counts as memory of this process: its pages are given back.
  void read(const std::string& name, float* out, std::size_t n) const;
  void read(const std::string& name, double* out, std::size_t n) const;
  void read(const std::string& name, std::int64_t* out, std::size_t n) const;
  void read(const std::string& name, std::uint8_t* out, std::size_t n) const;

  // A tensor of n elements of 16 bits as it is stored. False if it is of another dtype; throws
  // Error if the name or n is wrong.
  bool read_small(const std::string& name, SmallFloats& out, std::size_t n) const;

  // Gives back the pages of a tensor whose data was looked at; they are read again when touched.
  void give_back(const TensorBytes& tensor) const { file_.give_back(tensor.data, tensor.bytes()); }

 private:
  const TensorBytes& expect(const std::string& name, std::size_t n) const;
  template <class Integer>
  void read_exactly(const std::string& name, DType dtype, Integer* out, std::size_t n) const;
  template <class Real>
  void read_real(const std::string& name, Real* out, std::size_t n) const;
  void parse();
  template <class Stored, class Real, class Convert>
  void convert(const TensorBytes& from, Real* out, Convert to_real) const;

  MappedFile file_;
  std::string where_;
  std::vector<TensorBytes> tensors_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace bitlab
