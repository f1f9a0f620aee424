#pragma once
// An empty folder that a test owns and that is gone after it. Tests only.
#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "core/base/temporary_folder.h"

namespace bitlab {

class TestFolder : public TemporaryFolder {
 public:
  TestFolder() : TemporaryFolder("bitlab-test") {}
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }
};

}  // namespace bitlab
