#pragma once
// Plugins by name: models, linear layers, quantisers, optimisers, schedules ...
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

// Entries of one kind. Filled by explicit register_builtin_*() functions, read after.
template <class Entry>
class Registry {
 public:
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  // Throws Error if the name is taken.
  void add(const std::string& name, Entry entry) {
    if (!entries_.emplace(name, std::move(entry)).second)
      throw Error(kind_ + " registry",
                  "each name must be registered once, but '" + name + "' came twice");
  }

  // Throws UsageError that lists the names there are.
  const Entry& at(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    std::string known;
    for (const auto& [other, entry] : entries_) known += (known.empty() ? "" : ", ") + other;
    throw UsageError(kind_, "must be one of " + known + ", but got '" + name + "'");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
  }

 private:
  std::string kind_;
  std::map<std::string, Entry> entries_;
};

}  // namespace bitlab
