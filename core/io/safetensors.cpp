#include "core/io/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/io/atomic_file.h"
#include "core/io/safetensors_header.h"

namespace bitlab {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "the bytes of the file are used as they are");

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;

// IEEE half precision to single: exact for every value.
float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = std::uint32_t{h & 0x8000u} << 16, exponent = h >> 10 & 31u;
  std::uint32_t mantissa = h & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float tiny = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -tiny : tiny;
}

float bfloat_to_float(std::uint16_t b) { return std::bit_cast<float>(std::uint32_t{b} << 16); }

template <class Stored, class Real, class Convert>
void convert(const void* from, Real* out, std::size_t n, Convert to_real) {
  const char* bytes = static_cast<const char*>(from);
  for (std::size_t i = 0; i < n; ++i) {
    Stored value;
    std::memcpy(&value, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<Real>(to_real(value));
  }
}

}  // namespace

void write_safetensors(const fs::path& path,
                       const std::vector<TensorBytes>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = build_safetensors_header(tensors, metadata, path.string());
  AtomicFile file(path);
  const std::uint64_t length = header.size();
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const TensorBytes& t : tensors) file.write(t.data, t.bytes());
  file.commit();
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : where_(path.string()) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw Error(where_, "cannot be opened for reading: " + reason);
  }
  map_size_ = static_cast<std::size_t>(status.st_size);
  if (map_size_ >= 8) map_ = ::mmap(nullptr, map_size_, PROT_READ, MAP_PRIVATE, fd, 0);
  const std::string reason = std::strerror(errno);
  ::close(fd);
  if (map_ == MAP_FAILED) {
    map_ = nullptr;
    throw Error(where_, "cannot be mapped into memory: " + reason);
  }
  if (map_ == nullptr)
    throw Error(where_, "must have at least 8 bytes, but has " + std::to_string(map_size_));
  try {
    parse(static_cast<const char*>(map_), map_size_);
  } catch (...) {
    ::munmap(map_, map_size_);
    throw;
  }
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : where_(std::move(other.where_)),
      map_(std::exchange(other.map_, nullptr)),
      map_size_(other.map_size_),
      tensors_(std::move(other.tensors_)),
      index_(std::move(other.index_)),
      metadata_(std::move(other.metadata_)) {}

SafetensorsFile::~SafetensorsFile() {
  if (map_ != nullptr) ::munmap(map_, map_size_);
}

void SafetensorsFile::parse(const char* begin, std::size_t size) {
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

template <class Real>
void SafetensorsFile::read_real(const std::string& name, Real* out, std::size_t n) const {
  const TensorBytes& t = expect(name, n);
  const auto as_is = [](auto value) { return value; };
  switch (t.dtype) {
    case DType::F64:
      return convert<double>(t.data, out, n, as_is);
    case DType::F32:
      return convert<float>(t.data, out, n, as_is);
    case DType::F16:
      return convert<std::uint16_t>(t.data, out, n, half_to_float);
    case DType::BF16:
      return convert<std::uint16_t>(t.data, out, n, bfloat_to_float);
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
