// Plugins with one fault each, chosen by BITLAB_FAULT. Tests only.
#include <stdexcept>

#include "experiments/plugin.h"

using namespace bitlab;

#define FAULT_other_abi 1
#define FAULT_no_entry 2
#define FAULT_throws 3
#define FAULT_throws_int 4
#define FAULT_duplicate 5
#define FAULT_factory_throws 6
#define FAULT_no_function 7
#define FAULT_settings_throw 8
#define FAULT_same_name 9
#define FAULT_crash_in_run 10
#define FAULT_throw_in_run 11
#define FAULT_null 12
#define FAULT_JOIN_(a, b) a##b
#define FAULT_JOIN(a, b) FAULT_JOIN_(a, b)
#define FAULT FAULT_JOIN(FAULT_, BITLAB_FAULT)

namespace {

[[maybe_unused]] real nothing(View, double, std::int8_t*) { return 1; }

struct ThrowingConfig : Configurable {
  void fields(FieldVisitor&) override { throw std::runtime_error("fields are out"); }
};

struct Broken : Optimizer {
  void step(View g, double, const StepSettings&, std::int64_t step, ThreadTeam&) override {
    if (step < 3) return;
    if (FAULT == FAULT_throw_in_run) throw std::runtime_error("the third step is too much");
    *static_cast<volatile real*>(nullptr) = g.data[0];
  }
  std::vector<State> state() override { return {}; }
};

[[maybe_unused]] std::unique_ptr<Optimizer> make_optimizer_of(const OptimConfig&, ParamStore&) {
  if (FAULT == FAULT_factory_throws) throw std::runtime_error("the factory is on strike");
  if (FAULT == FAULT_null) return nullptr;
  return std::make_unique<Broken>();
}

}  // namespace

#if FAULT == FAULT_other_abi
extern "C" {
extern const PluginInfo bitlab_plugin_info;
void bitlab_plugin(PluginHost&);
}
const PluginInfo bitlab_plugin_info = {"bitlab plugin ABI: 00000000, g++ 3, libfoo, half", "old",
                                       1};
void bitlab_plugin(PluginHost&) { throw std::runtime_error("must never be called"); }
#elif FAULT == FAULT_no_entry
extern "C" {
extern const PluginInfo bitlab_plugin_info;
}
const PluginInfo bitlab_plugin_info = {BITLAB_PLUGIN_ABI, "no-entry", 1};
#else
BITLAB_PLUGIN(FAULT == FAULT_same_name ? "every-kind" : BITLAB_PLUGIN_TEXT(BITLAB_FAULT), 1) {
  if (FAULT == FAULT_throws || FAULT == FAULT_throws_int)
    host.add_weight_quantizer("left_over", {.quantize = nothing});
  if (FAULT == FAULT_throws) throw std::runtime_error("no luck today");
  if (FAULT == FAULT_throws_int) throw 42;
  if (FAULT == FAULT_duplicate) host.add_weight_quantizer("absmean", {.quantize = nothing});
  if (FAULT == FAULT_no_function) host.add_optimizer("empty", {});
  if (FAULT == FAULT_settings_throw)
    host.add_weight_quantizer("unsettled", {.quantize = nothing, .make_config = [] {
                                              return std::make_unique<ThrowingConfig>();
                                            }});
  if (FAULT == FAULT_factory_throws || FAULT == FAULT_null || FAULT == FAULT_crash_in_run ||
      FAULT == FAULT_throw_in_run)
    host.add_optimizer(BITLAB_PLUGIN_TEXT(BITLAB_FAULT), {.make = make_optimizer_of});
}
#endif
