#pragma once
// Model presets of configs/models, changed. Tests only.
#include <string>
#include <vector>

#include "core/config/load.h"
#include "core/config/read_fields.h"
#include "core/config/resolve.h"
#include "experiments/plan_test.h"
#include "experiments/spec.h"

namespace bitlab {

inline Spec preset(const std::string& name, const std::vector<std::string>& overrides = {}) {
  const std::filesystem::path file = source_dir() / "configs" / "models" / (name + ".toml");
  LoadedConfig config = load_config(file, overrides, source_dir());
  for (auto& [path, setting] : config.command_line) config.file.insert_or_assign(path, setting);
  Spec spec;
  read_settings(config.file, spec);
  return spec;
}

}  // namespace bitlab
