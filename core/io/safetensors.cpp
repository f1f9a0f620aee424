#include "core/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/error.h"
#include "core/io/atomic_file.h"
#include "core/io/safetensors_header.h"
#include "core/io/small_floats.h"

namespace bitlab {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the bytes of the file are used as they are");

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;

constexpr std::size_t kPiece = std::size_t{1} << 20;  // elements converted at a time

// Floats as `dtype`, piece by piece.
void write_floats(AtomicFile& file, const TensorBytes& t, const std::string& where) {
  if (t.dtype == DType::F32) return file.write(t.data, t.bytes());
  if (t.dtype != DType::F16 && t.dtype != DType::BF16)
    throw Error(where, "floats of '" + t.name + "' must be written as F32, F16 or BF16, but as " +
                           dtype_name(t.dtype) + " was asked for");
  const auto* from = static_cast<const float*>(t.data);
  const auto convert = t.dtype == DType::F16 ? float_to_half : float_to_bfloat;
  std::vector<std::uint16_t> piece(std::min(t.size(), kPiece));
  for (std::size_t begin = 0; begin < t.size(); begin += kPiece) {
    const std::size_t n = std::min(kPiece, t.size() - begin);
    for (std::size_t i = 0; i < n; ++i) piece[i] = convert(from[begin + i]);
    file.write(piece.data(), n * sizeof(std::uint16_t));
  }
}

}  // namespace

void write_safetensors(const fs::path& path,
                       const std::vector<TensorBytes>& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::function<void(const TensorBytes&)>& written) {
  const std::string header = build_safetensors_header(tensors, metadata, path.string());
  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const TensorBytes& t : tensors) {
    if (t.from_floats)
      write_floats(file, t, path.string());
    else
      file.write(t.data, t.bytes());
    if (written) written(t);
  }
  file.commit();
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : file_(path), where_(path.string()) {
  if (file_.size() < 8)
    throw Error(where_, "must have at least 8 bytes, but has " + std::to_string(file_.size()));
  parse();
}

void SafetensorsFile::parse() {
  const char* const begin = file_.data();
  const std::size_t size = file_.size();
  std::uint64_t length = 0;
  std::memcpy(&length, begin, sizeof length);
  if (length > kMaxHeader)
    throw Error(where_,
                "header must have at most " + std::to_string(kMaxHeader) + " bytes, but claims " +
                    std::to_string(length),
                "this is probably not a safetensors file");
  if (length > size - 8)
    throw Error(where_,
                "header must lie within the file of " + std::to_string(size) +
                    " bytes, but claims " + std::to_string(length),
                "the file may be truncated");
  SafetensorsHeader header =
      parse_safetensors_header({begin + 8, length}, size - 8 - length, where_);
  metadata_ = std::move(header.metadata);
  for (PlacedTensor& placed : header.tensors) {
    placed.tensor.data = begin + 8 + length + placed.begin;
    index_[placed.tensor.name] = tensors_.size();
    tensors_.push_back(std::move(placed.tensor));
  }
}

bool SafetensorsFile::contains(const std::string& name) const { return index_.count(name) > 0; }

const TensorBytes& SafetensorsFile::at(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end())
    throw Error(where_, "must contain the tensor '" + name + "', but does not");
  return tensors_[found->second];
}

const TensorBytes& SafetensorsFile::expect(const std::string& name, std::size_t n) const {
  const TensorBytes& tensor = at(name);
  if (tensor.size() != n)
    throw Error(where_, "'" + name + "' must have " + std::to_string(n) + " elements, but has " +
                            std::to_string(tensor.size()));
  return tensor;
}

template <class Stored, class Real, class Convert>
void SafetensorsFile::convert(const TensorBytes& from, Real* out, Convert to_real) const {
  const char* bytes = static_cast<const char*>(from.data);
  for (std::size_t begin = 0; begin < from.size(); begin += kPiece) {
    const std::size_t end = std::min(begin + kPiece, from.size());
    for (std::size_t i = begin; i < end; ++i) {
      Stored value;
      std::memcpy(&value, bytes + i * sizeof(Stored), sizeof(Stored));
      out[i] = static_cast<Real>(to_real(value));
    }
    file_.give_back(bytes + begin * sizeof(Stored), (end - begin) * sizeof(Stored));
  }
}

template <class Real>
void SafetensorsFile::read_real(const std::string& name, Real* out, std::size_t n) const {
  const TensorBytes& t = expect(name, n);
  const auto as_is = [](auto value) { return value; };
  switch (t.dtype) {
    case DType::F64:
      return convert<double>(t, out, as_is);
    case DType::F32:
      return convert<float>(t, out, as_is);
    case DType::F16:
      return convert<std::uint16_t>(t, out, [](std::uint16_t h) { return half_to_float(h); });
    case DType::BF16:
      return convert<std::uint16_t>(t, out, [](std::uint16_t b) { return bfloat_to_float(b); });
    default:
      throw Error(where_,
                  "'" + name + "' must hold floating numbers, but is " + dtype_name(t.dtype));
  }
}

template <class Integer>
void SafetensorsFile::read_exactly(const std::string& name,
                                   DType dtype,
                                   Integer* out,
                                   std::size_t n) const {
  const TensorBytes& t = expect(name, n);
  if (t.dtype != dtype)
    throw Error(where_,
                "'" + name + "' must be " + dtype_name(dtype) + ", but is " + dtype_name(t.dtype));
  if (n > 0) std::memcpy(out, t.data, n * sizeof(Integer));
  give_back(t);
}

bool SafetensorsFile::read_small(const std::string& name, SmallFloats& out, std::size_t n) const {
  const TensorBytes& t = expect(name, n);
  if (t.dtype != DType::F16 && t.dtype != DType::BF16) return false;
  out.kind = t.dtype == DType::F16 ? SmallFloats::Kind::Half : SmallFloats::Kind::Brain;
  out.values.resize(n);
  std::memcpy(out.values.data(), t.data, t.bytes());
  give_back(t);
  return true;
}

void SafetensorsFile::read(const std::string& name, float* out, std::size_t n) const {
  read_real(name, out, n);
}
void SafetensorsFile::read(const std::string& name, double* out, std::size_t n) const {
  read_real(name, out, n);
}
void SafetensorsFile::read(const std::string& name, std::int64_t* out, std::size_t n) const {
  read_exactly(name, DType::I64, out, n);
}
void SafetensorsFile::read(const std::string& name, std::uint8_t* out, std::size_t n) const {
  read_exactly(name, DType::U8, out, n);
}

}  // namespace bitlab
