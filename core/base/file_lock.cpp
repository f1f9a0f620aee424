#include "core/base/file_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace bitlab {

namespace {

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

int open_lock(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0)
    throw Obstacle(path.string(), std::string("cannot be opened: ") + std::strerror(errno),
                "is the results folder writable?");
  return fd;
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& path) {
  const int fd = open_lock(path);
  struct flock whole = whole_file(F_WRLCK);
  if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) return FileLock(fd);
  ::close(fd);
  return std::nullopt;
}

FileLock FileLock::wait_for(const std::filesystem::path& path) {
  FileLock lock(open_lock(path));
  struct flock whole = whole_file(F_WRLCK);
  while (::fcntl(lock.fd_, F_OFD_SETLKW, &whole) != 0)
    if (errno != EINTR)
      throw Obstacle(path.string(), std::string("cannot be locked: ") + std::strerror(errno));
  return lock;
}

bool FileLock::held(const std::filesystem::path& path) {
  // Reading is enough to ask, also in a folder that somebody else owns; a read lock would be in the
  // way of the holder's write lock only.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;  // no lock file: no worker ever
  struct flock whole = whole_file(F_RDLCK);
  const bool known = ::fcntl(fd, F_OFD_GETLK, &whole) == 0;
  ::close(fd);
  return known && whole.l_type != F_UNLCK;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace bitlab
