#include "experiments/plugin.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/config/resolve.h"

namespace bitlab {

namespace {

// A plugin's function, whose exceptions name the entry that threw.
template <class Result, class... Args>
std::function<Result(Args...)> guarded(const std::string& where,
                                       const std::string& what,
                                       std::function<Result(Args...)> function) {
  if (!function) throw Error(where, what + " must be set, but is not");
  return [=](Args... args) -> Result {
    try {
      Result result = function(std::forward<Args>(args)...);
      if constexpr (std::is_constructible_v<bool, Result> && !std::is_arithmetic_v<Result>)
        if (!result) throw UsageError(where, what + " must make something, but returned nothing");
      return result;
    } catch (const UsageError&) {
      throw;
    } catch (const std::exception& e) {
      throw UsageError(where, what + " threw: " + e.what());
    } catch (...) {
      throw UsageError(where, what + " threw something that is no std::exception");
    }
  };
}

std::string where(const Origin& origin, const std::string& kind, const std::string& name) {
  return "plugin " + origin.plugin + ", " + kind + " " + name;
}

// Settings that cannot be made or listed are found now and not in the middle of a request.
template <class Entry>
void check_settings(const std::string& where, Entry& entry) {
  entry.make_config = guarded(where, "make_config", std::move(entry.make_config));
  try {
    list_fields(*entry.make_config());
  } catch (const UsageError&) {
    throw;
  } catch (const std::exception& e) {
    throw Error(where, std::string("fields() of its settings threw: ") + e.what());
  }
}

}  // namespace

template <class Entry>
void PluginHost::add(Registry<Entry>& registry, const std::string& name, Entry entry) {
  const std::string key = registry.kind() + " " + name;
  if (name.empty()) throw Error("plugin " + origin_.plugin, registry.kind() + " without a name");
  if (registry.contains(name) || std::find(names_.begin(), names_.end(), key) != names_.end())
    throw Error("plugin " + origin_.plugin, "names must be new, but there is a " + key + " already",
                "choose another name");
  check_settings(where(origin_, registry.kind(), name), entry);
  names_.push_back(key);
  waiting_.push_back([&registry, name, entry = std::move(entry), origin = origin_] {
    registry.add(name, entry, origin);
  });
}

void PluginHost::commit() {
  for (const auto& add_one : waiting_) add_one();
  waiting_.clear();
}

void PluginHost::add_model(const std::string& name, ModelPlugin entry) {
  const std::string at = where(origin_, "model", name);
  entry.build = guarded(at, "build", std::move(entry.build));
  entry.seq_len = guarded(at, "seq_len", std::move(entry.seq_len));
  add(models(), name, std::move(entry));
}

void PluginHost::add_linear_layer(const std::string& name, LinearPlugin entry) {
  entry.make = guarded(where(origin_, "linear layer", name), "make", std::move(entry.make));
  add(linear_layers(), name, std::move(entry));
}

void PluginHost::add_norm(const std::string& name, NormPlugin entry) {
  entry.make = guarded(where(origin_, "norm", name), "make", std::move(entry.make));
  add(norm_layers(), name, std::move(entry));
}

void PluginHost::add_weight_quantizer(const std::string& name, WeightQuantizer entry) {
  const std::string at = where(origin_, "weight quantiser", name);
  if (entry.configure) {
    entry.configure = guarded(at, "configure", std::move(entry.configure));
    if (entry.make_config && !entry.quantize)
      entry.quantize = entry.configure(*entry.make_config());
  }
  if (!entry.quantize) throw Error(at, "quantize or configure must be set, but neither is");
  add(weight_quantizers(), name, std::move(entry));
}

void PluginHost::add_optimizer(const std::string& name, OptimizerPlugin entry) {
  entry.make = guarded(where(origin_, "optimizer", name), "make", std::move(entry.make));
  add(optimizers(), name, std::move(entry));
}

void PluginHost::add_schedule(const std::string& name, SchedulePlugin entry) {
  entry.lr = guarded(where(origin_, "schedule", name), "lr", std::move(entry.lr));
  add(schedules(), name, std::move(entry));
}

void PluginHost::add_data_source(Source source) {
  const std::string at = where(origin_, "data source", source.name);
  if (source.generate_with) {
    source.generate_with = guarded(at, "generate_with", std::move(source.generate_with));
  } else if (source.generate) {
    source.generate = guarded(at, "generate", std::move(source.generate));
  } else if (source.open) {
    source.open = guarded(at, "open", std::move(source.open));
  } else if (source.forms.empty() || (source.sha256.empty() && !source.read)) {
    throw Error(at, "must have files with a sha256, or a function that generates it, but has none");
  }
  add(data_sources(), source.name, source);
}

void PluginHost::add_tokenizer(const std::string& name, TokenizerPlugin entry) {
  const std::string at = where(origin_, "tokenizer", name);
  entry.make = guarded(at, "make", std::move(entry.make));
  entry.from_json = guarded(at, "from_json", std::move(entry.from_json));
  add(tokenizers(), name, std::move(entry));
}

void PluginHost::add_task(const std::string& name, TaskPlugin entry) {
  entry.make = guarded(where(origin_, "task", name), "make", std::move(entry.make));
  add(tasks(), name, std::move(entry));
}

void PluginHost::add_observer(const std::string& name, ObserverPlugin entry) {
  entry.make = guarded(where(origin_, "observer", name), "make", std::move(entry.make));
  add(observers(), name, std::move(entry));
}

const std::vector<const AnyRegistry*>& registries() {
  static const std::vector<const AnyRegistry*> all = {
      &models(),     &linear_layers(), &norm_layers(),  &weight_quantizers(),
      &optimizers(), &schedules(),     &data_sources(), &tokenizers(),
      &tasks(),      &observers()};
  return all;
}

}  // namespace bitlab
