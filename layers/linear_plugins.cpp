// The built-in entries of the plugin point `linear`.
#include "layers/bitlinear.h"
#include "layers/in_place_ternary.h"
#include "layers/linear.h"

namespace bitlab {

namespace {

struct NoSettings : Configurable {
  void fields(FieldVisitor&) override {}
};

void register_builtin_linear_layers(Registry<LinearPlugin>& registry) {
  registry.add("full",
               {1, "full-precision y = x w^T + b", [] { return std::make_unique<NoSettings>(); },
                [](const LinearShape& shape, const Configurable&) -> LayerPtr {
                  return std::make_unique<Linear>(shape);
                }});
  registry.add("bitlinear", {1, "ternary weights, int8 activations, straight-through gradients",
                             [] { return std::make_unique<BitLinearConfig>(); },
                             [](const LinearShape& shape, const Configurable& config) -> LayerPtr {
                               return std::make_unique<BitLinear>(
                                   shape, dynamic_cast<const BitLinearConfig&>(config));
                             }});
  registry.add("in_place_ternary",
               {1, "ternary weights written over the latent ones: a control that cannot learn",
                [] { return std::make_unique<InPlaceTernaryConfig>(); },
                [](const LinearShape& shape, const Configurable& config) -> LayerPtr {
                  return std::make_unique<InPlaceTernary>(
                      shape, dynamic_cast<const InPlaceTernaryConfig&>(config));
                }});
}

}  // namespace

const Registry<LinearPlugin>& linear_layers() {
  static const Registry<LinearPlugin> registry = [] {
    Registry<LinearPlugin> r("linear layer");
    register_builtin_linear_layers(r);
    return r;
  }();
  return registry;
}

}  // namespace bitlab
