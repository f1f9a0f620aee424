#include "core/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/base/huge_pages.h"

namespace bitlab {

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    throw Error(where(), "cannot be opened for reading: " + reason);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) map_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
  const std::string reason = std::strerror(errno);
  ::close(fd);
  if (map_ == MAP_FAILED) throw Error(where(), "cannot be mapped into memory: " + reason);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      map_(std::exchange(other.map_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (map_ != nullptr) ::munmap(map_, size_);
}

void MappedFile::give_back(const void* begin, std::size_t bytes) const {
  const auto* const from = static_cast<const char*>(begin);
  if (from >= data() && from + bytes <= data() + size_) give_back_pages(begin, bytes);
}

}  // namespace bitlab
