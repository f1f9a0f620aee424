#include "layers/models/wide_mlp.h"

#include "core/config/choice.h"
#include "layers/activation.h"
#include "layers/containers.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "layers/token_counts.h"

namespace bitlab {

WideMlpConfig::WideMlpConfig() : linear_settings(linear_layers().at(linear).make_config()) {}

void WideMlpConfig::fields(FieldVisitor& v) {
  v.field("d_hidden", d_hidden, {.help = "width of the hidden layer", .min = 1});
  v.field("labels", labels, {.help = "that the classifier tells apart", .min = 2});
  v.field("max_tokens", max_tokens, {.help = "the most tokens of a text", .min = 1});
  v.field("dropout", dropout, {.help = "of the hidden layer", .min = 0, .max = 0.99});
  v.field("init_std", init_std, {.help = "standard deviation of fresh weights", .min = 0});
  choice_field(v, "linear", linear, linear_settings, linear_layers(),
               "kind of the linear layers that model.ternary names");
  v.begin("ternary", "which linear layers are of the kind model.linear");
  ternary.fields(v);
  v.end();
}

LayerPtr build_wide_mlp(const WideMlpConfig& config, size_t vocab_size) {
  if (config.linear != "full") config.ternary.check({"hidden", "classifier"});
  const auto linear = [&](const std::string& name, size_t in, std::int64_t out) {
    const std::string kind = config.ternary.replaces(name) ? config.linear : "full";
    const LinearShape shape{
        name, in, {{name, static_cast<size_t>(out)}}, true, {Init::Kind::Normal, config.init_std}};
    if (kind == "full") return LayerPtr(std::make_unique<Linear>(shape));
    return linear_layers().at(kind).make(shape, *config.linear_settings);
  };
  auto net = std::make_unique<Sequential>();
  net->add("", std::make_unique<TokenCounts>(vocab_size));
  net->add("", linear("hidden", vocab_size, config.d_hidden));
  net->add("", std::make_unique<ActivationLayer>(Activation::Relu));
  if (config.dropout > 0) net->add("", std::make_unique<Dropout>(config.dropout, "dropout/hidden"));
  net->add("", linear("classifier", static_cast<size_t>(config.d_hidden), config.labels));
  return net;
}

}  // namespace bitlab
