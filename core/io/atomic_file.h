#pragma once
// A file written piece by piece that appears under its name only when it is whole and on disk.
#include <cstddef>
#include <filesystem>

namespace bitlab {

class AtomicFile {
 public:
  // Opens a temporary beside `path`; creates missing parent directories. Throws Error.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();  // without commit() the temporary is removed and `path` is what it was
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);  // throws Error (a full disk)
  void commit();                                   // fsync, rename, fsync of the directory

 private:
  std::filesystem::path path_, temporary_;
  int fd_ = -1;
};

}  // namespace bitlab
