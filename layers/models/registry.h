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
  // Of models whose settings may fix it: the width of the logits, given how many tokens the
  // tokenizer has. Throws UsageError if they do not fit. Null: the tokenizer's.
  std::function<size_t(const Configurable& config, size_t tokenizer_size)> vocab_size = {};

  // Of models that read a text as a whole: their logits are no predictions of the next token, so
  // language tasks, generation and perplexity are not for them.
  bool whole_texts = false;

  size_t logits_width(const Configurable& config, size_t tokenizer_size) const {
    return vocab_size ? vocab_size(config, tokenizer_size) : tokenizer_size;
  }
};

Registry<ModelPlugin>& models();

}  // namespace bitlab
