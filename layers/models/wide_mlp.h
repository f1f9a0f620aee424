#pragma once
// WideMLP (Galke and Scherp, arXiv 2109.03777): a text as a bag of words, one wide hidden layer.
//   logits = classifier(dropout(relu(hidden(token counts / tokens))))
#include <cstdint>
#include <memory>
#include <string>

#include "core/config/fields.h"
#include "layers/layer.h"
#include "layers/replacement.h"

namespace bitlab {

struct WideMlpConfig : Configurable {
  std::int64_t d_hidden = 1024;
  std::int64_t labels = 2;
  std::int64_t max_tokens = 512;  // the most tokens of a text
  double dropout = 0.5;
  double init_std = 0.02;
  std::string linear = "full";                    // kind of the linear layers that `ternary` names
  std::unique_ptr<Configurable> linear_settings;  // of that kind, in the table named after it
  ReplacementConfig ternary;

  WideMlpConfig();
  void fields(FieldVisitor& v) override;
};

// Its parameters are not bound yet (ParamStore does that). Throws UsageError if a pattern of
// `ternary` matches nothing.
LayerPtr build_wide_mlp(const WideMlpConfig& config, size_t vocab_size);

}  // namespace bitlab
