#pragma once
// A folder of one's own among the system's temporary ones.
#include <filesystem>
#include <string>

namespace bitlab {

// Is made empty, and gone with the object, whatever is in it then.
class TemporaryFolder {
 public:
  // Named PURPOSE-XXXXXX. Throws Error if it cannot be made.
  explicit TemporaryFolder(const std::string& purpose);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void keep() { kept_ = true; }  // it stays

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace bitlab
