#pragma once
// A project with one experiment in a temporary folder. Tests only.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "experiments/plan.h"

namespace bitlab {

// A project with one experiment, "x".
class Project {
 public:
  explicit Project(const std::string& toml)
      : home_(std::filesystem::temp_directory_path() /
              ("bitlab-plan-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_ / "configs" / "experiments");
    std::ofstream(home_ / "configs" / "experiments" / "x.toml") << toml;
  }
  ~Project() { std::filesystem::remove_all(home_); }
  Project(const Project&) = delete;
  Project& operator=(const Project&) = delete;

  const std::filesystem::path& home() const { return home_; }
  Experiment load(const std::vector<std::string>& overrides = {}) const {
    return load_experiment("x", overrides, home_);
  }
  std::string error(const std::vector<std::string>& overrides = {},
                    const std::string& name = "x") const {
    try {
      load_experiment(name, overrides, home_);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "no error";
  }

 private:
  std::filesystem::path home_;
};

inline DataFacts facts() {
  return {"plays",     std::string(64, 'a'), 1000, 900, 100, 65,
          "character", "char-12345678",      900,  100};
}

inline std::filesystem::path source_dir() {
  const char* const dir = std::getenv("BITLAB_SOURCE_DIR");
  return dir ? dir : ".";
}

}  // namespace bitlab
