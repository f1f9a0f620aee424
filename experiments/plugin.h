#pragma once
// What a plugin is written against: a shared library that adds entries to bitlab's registries.
//
//   #include "experiments/plugin.h"
//
//   BITLAB_PLUGIN("mine", 1) {
//     host.add_weight_quantizer("halves", {.description = "...", .quantize = halves});
//   }
//
// docs/plugins.md shows a whole one.
#include <functional>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/data/sources.h"
#include "core/quant/weight_quantizer.h"
#include "core/text/tokenizer.h"
#include "experiments/optimizer.h"
#include "experiments/plugin_abi.h"  // made by the build: a hash of all public headers
#include "experiments/schedule.h"
#include "experiments/task.h"
#include "experiments/train_observer.h"
#include "layers/linear.h"
#include "layers/models/registry.h"
#include "layers/norms.h"

namespace bitlab {

// Where a plugin leaves its entries. They count once its entry point has returned, all or none.
// Each add throws Error if the name is taken, if a function that the kind needs is missing, or if
// the settings cannot be made.
class PluginHost {
 public:
  explicit PluginHost(Origin origin) : origin_(std::move(origin)) {}

  void add_model(const std::string& name, ModelPlugin entry);
  void add_linear_layer(const std::string& name, LinearPlugin entry);
  void add_norm(const std::string& name, NormPlugin entry);
  void add_weight_quantizer(const std::string& name, WeightQuantizer entry);
  void add_optimizer(const std::string& name, OptimizerPlugin entry);
  void add_schedule(const std::string& name, SchedulePlugin entry);
  void add_data_source(Source source);
  void add_tokenizer(const std::string& name, TokenizerPlugin entry);
  void add_task(const std::string& name, TaskPlugin entry);
  void add_observer(const std::string& name, ObserverPlugin entry);

  void commit();  // bitlab calls it

 private:
  template <class Entry>
  void add(Registry<Entry>& registry, const std::string& name, Entry entry);

  Origin origin_;
  std::vector<std::string> names_;  // "KIND NAME", of what waits for commit()
  std::vector<std::function<void()>> waiting_;
};

// All registries, in the order in which they are listed.
const std::vector<const AnyRegistry*>& registries();

// What a library says of itself. Its layout never changes.
struct PluginInfo {
  const char* abi;  // BITLAB_PLUGIN_ABI
  const char* name;
  int version;
};

}  // namespace bitlab

// Everything that bitlab and a plugin must agree on, as text that is found in the file itself, so
// that nothing of another make is ever run.
#define BITLAB_PLUGIN_TEXT_(x) #x
#define BITLAB_PLUGIN_TEXT(x) BITLAB_PLUGIN_TEXT_(x)
#if defined(__clang__)
#define BITLAB_PLUGIN_COMPILER "clang++ " BITLAB_PLUGIN_TEXT(__clang_major__)
#else
#define BITLAB_PLUGIN_COMPILER "g++ " BITLAB_PLUGIN_TEXT(__GNUC__)
#endif
#if defined(_LIBCPP_VERSION)
#define BITLAB_PLUGIN_LIBRARY "libc++ " BITLAB_PLUGIN_TEXT(_LIBCPP_ABI_VERSION)
#else
#define BITLAB_PLUGIN_LIBRARY "libstdc++ cxx11=" BITLAB_PLUGIN_TEXT(_GLIBCXX_USE_CXX11_ABI)
#endif
#ifdef BITLAB_DOUBLE
#define BITLAB_PLUGIN_REAL "double"
#else
#define BITLAB_PLUGIN_REAL "float"
#endif
#define BITLAB_PLUGIN_ABI                                                                         \
  "bitlab plugin ABI: " BITLAB_ABI_HEADERS ", " BITLAB_PLUGIN_COMPILER ", " BITLAB_PLUGIN_LIBRARY \
  ", " BITLAB_PLUGIN_REAL

// The two symbols that bitlab looks for. The braces after it are the entry point, which gets
// `bitlab::PluginHost& host`. The version enters the id of every run that uses the plugin: raise it
// when results change.
#define BITLAB_PLUGIN(plugin_name, plugin_version)                                                \
  extern "C" {                                                                                    \
  __attribute__((visibility("default"))) extern const bitlab::PluginInfo bitlab_plugin_info;      \
  __attribute__((visibility("default"))) void bitlab_plugin(bitlab::PluginHost& host);            \
  }                                                                                               \
  const bitlab::PluginInfo bitlab_plugin_info = {BITLAB_PLUGIN_ABI, plugin_name, plugin_version}; \
  void bitlab_plugin(bitlab::PluginHost& host)
