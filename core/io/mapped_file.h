#pragma once
// A file mapped into memory to be read.
#include <cstddef>
#include <filesystem>
#include <string>

namespace bitlab {

class MappedFile {
 public:
  // Throws Error if the file cannot be opened or mapped. An empty file has no data. The file must
  // not become shorter while it is mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  const char* data() const { return static_cast<const char*>(map_); }
  std::size_t size() const { return size_; }
  std::string where() const { return path_.string(); }  // for errors

  // Gives back the whole pages of a stretch that was looked at, so that they no longer count as
  // memory of this process; they are read again when touched. Leaves memory alone that is not the
  // file's.
  void give_back(const void* begin, std::size_t bytes) const;

 private:
  std::filesystem::path path_;
  void* map_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bitlab
