#include "layers/bitlinear_config.h"

#include "core/config/choice.h"
#include "core/quant/weight_quantizer.h"

namespace bitlab {

namespace {

void apply_preset(BitLinearConfig& c) {
  const std::string preset = c.preset;
  c = BitLinearConfig{};
  c.preset = preset;
  if (preset == "babybitnet-seed") {  // the block normalises, BitLinear does not
    c.norm = "none";
  } else if (preset == "imdb-seed") {  // weights only
    c.norm = "none";
    c.weight_eps = 1e-8;
    c.act_quant = "none";
  } else if (preset == "bitnet700-seed") {
    c.norm = "layernorm_nobias";  // its "SubLN"
  }
}

}  // namespace

void BitLinearConfig::fields(FieldVisitor& v) {
  v.field("preset", preset,
          {.help = "known point that the other settings start from",
           .choices = {"b158", "babybitnet-seed", "imdb-seed", "bitnet700-seed"}});
  if (preset != applied_preset_) {
    apply_preset(*this);
    applied_preset_ = preset;
  }
  choice_field(v, "weight_quant", weight_quant, weight_quant_settings, weight_quantizers(),
               "weight quantiser");
  v.field("weight_eps", weight_eps, {.help = "smallest weight scale", .min = 0});
  v.field("act_quant", act_quant,
          {.help = "activation quantiser, per token", .choices = {"int8", "none"}});
  v.field("act_eps", act_eps, {.help = "smallest absmax of a token", .min = 0});
  v.field("norm", norm,
          {.help = "norm inside, before quantisation",
           .choices = {"none", "rmsnorm", "layernorm", "layernorm_nobias"}});
  v.field("norm_eps", norm_eps, {.help = "added to the variance in that norm", .min = 0});
  v.field("output_scale", output_scale, {.help = "scale the product by the weight scale"});
  v.field(
      "straight_through", straight_through,
      {.help = "gradient of the weight quantiser: identity, or clipped where the code is clamped",
       .choices = {"identity", "clipped"}});
  v.require(straight_through != "clipped" || weight_quant != "twn", "straight_through",
            "must be identity where weight_quant = \"twn\"",
            "clipping is defined by what is rounded over the scale");
  v.field("lambda_warmup_steps", lambda_warmup_steps,
          {.help = "steps over which quantisation fades in, 0 for at once", .min = 0});
}

}  // namespace bitlab
