// The built-in entries of the plugin point `linear`.
#include "layers/bitlinear.h"
#include "layers/in_place_ternary.h"
#include "layers/linear.h"

namespace bitlab {

namespace {

void register_builtin_linear_layers(Registry<LinearPlugin>& registry) {
  registry.add("full", {1, "full-precision y = x w^T + b", no_settings,
                        [](const LinearShape& shape, const Configurable&) -> LayerPtr {
                          return std::make_unique<Linear>(shape);
                        }});
  registry.add("bitlinear", {1, "ternary weights, int8 activations, straight-through gradients",
                             [] { return std::make_unique<BitLinearConfig>(); },
                             [](const LinearShape& shape, const Configurable& config) -> LayerPtr {
                               return std::make_unique<BitLinear>(
                                   shape, dynamic_cast<const BitLinearConfig&>(config));
                             },
                             /*straight_through=*/true});
  registry.add("in_place_ternary",
               {1, "ternary weights written over the latent ones: a control that cannot learn",
                [] { return std::make_unique<InPlaceTernaryConfig>(); },
                [](const LinearShape& shape, const Configurable& config) -> LayerPtr {
                  return std::make_unique<InPlaceTernary>(
                      shape, dynamic_cast<const InPlaceTernaryConfig&>(config));
                },
                /*straight_through=*/true});
}

}  // namespace

Registry<LinearPlugin>& linear_layers() {
  static Registry<LinearPlugin> registry("linear layer", register_builtin_linear_layers);
  return registry;
}

}  // namespace bitlab
