#pragma once
// Models by name: the plugin point `model`.
#include <functional>
#include <memory>
#include <string>

#include "core/base/registry.h"
#include "core/config/fields.h"
#include "layers/layer.h"

namespace bitlab {

struct ModelPlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<LayerPtr(const Configurable& config, size_t vocab_size)> build = {};
  std::function<size_t(const Configurable& config)> seq_len = {};
};

Registry<ModelPlugin>& models();

}  // namespace bitlab
