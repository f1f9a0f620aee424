#include "core/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/error.h"
#include "core/base/files.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  const int code = errno;
  throw Obstacle(path.string(), what + ": " + std::strerror(code),
                 code == ENOSPC ? "free some disk space and run the same command again" : "");
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path)
    : path_(path), temporary_(path.string() + ".tmp" + std::to_string(::getpid())) {
  std::error_code error;
  fs::create_directories(folder_of(path), error);
  if (error) throw Obstacle(folder_of(path).string(), "cannot be created: " + error.message());
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail(temporary_, "cannot be created");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd_, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "cannot be written");
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) fail(path_, "cannot be forced to disk");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot be replaced");
  ::close(fd_);
  fd_ = -1;
  sync_path(folder_of(path_));
}

}  // namespace bitlab
