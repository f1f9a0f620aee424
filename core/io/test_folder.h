#pragma once
// An empty folder that a test owns and that is gone after it. Tests only.
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/base/error.h"

namespace bitlab {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "bitlab-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error("test folder", name + " cannot be created");
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace bitlab
