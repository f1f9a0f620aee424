#pragma once
// A folder of TOML files and a struct to read them into. Tests only.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/load.h"
#include "core/config/resolve.h"

namespace bitlab {

// Empty, removed at the end.
class ConfigFolder {
 public:
  ConfigFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("bitlab-config-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ConfigFolder() { std::filesystem::remove_all(path_); }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

  LoadedConfig load(const std::string& name = "x.toml",
                    const std::vector<std::string>& overrides = {}) const {
    return load_config(path_ / name, overrides, path_);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A part that has settings of its own, chosen by name.
struct Engine : Configurable {
  double power = 10;
  std::string fuel = "diesel";
  void fields(FieldVisitor& v) override {
    v.field("power", power, {.help = "kilowatts", .min = 0, .max = 500});
    v.field("fuel", fuel, {.help = "what it burns", .choices = {"diesel", "petrol"}});
  }
};

struct Sail : Configurable {
  std::int64_t area = 20;
  void fields(FieldVisitor& v) override {
    v.field("area", area, {.help = "square metres", .min = 1});
  }
};

struct Boat : Configurable {
  std::string title = "boat";
  std::vector<std::int64_t> years = {1999};
  std::vector<std::string> ports;
  std::int64_t n_layer = 4;
  std::int64_t d_model = 64;
  double lr = 1e-3;
  bool fast = false;
  std::string drive = "engine";
  std::unique_ptr<Configurable> settings = std::make_unique<Engine>();

  void fields(FieldVisitor& v) override {
    v.field("title", title, {.help = "name", .hashed = false});
    v.field("years", years, {.help = "of construction", .min = 0});
    v.field("ports", ports, {.help = "to call at"});
    v.begin("hull", "its body");
    v.field("n_layer", n_layer, {.help = "planks", .min = 1});
    v.field("d_model", d_model, {.help = "width", .min = 1, .max = 4096});
    v.field("lr", lr, {.help = "speed", .min = 0, .max = 1});
    v.field("fast", fast, {.help = "very"});
    v.require(d_model % n_layer == 0, "n_layer", "must divide d_model = " + std::to_string(d_model),
              "try 8");
    v.end();
    v.begin("drive", "what moves it");
    const std::string before = drive;
    v.field("name", drive, {.help = "kind", .choices = {"engine", "sail"}});
    if (drive != before && drive == "sail") settings = std::make_unique<Sail>();
    if (drive != before && drive == "engine") settings = std::make_unique<Engine>();
    settings->fields(v);
    v.end();
  }
};

// The text of the UsageError that `action` throws; "no error" if it throws none.
template <class Action>
std::string usage_error(const Action& action) {
  try {
    action();
  } catch (const UsageError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace bitlab
