#pragma once
// Extension points: models, layers, quantisers, optimisers ... by name. bitlab's own entries and
// those of plugins stand side by side.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

class Configurable;

// Makes an entry's settings with their defaults.
using MakeConfig = std::function<std::unique_ptr<Configurable>()>;

// Who brought an entry.
struct Origin {
  std::string plugin;  // its name; empty: bitlab itself
  int version = 0;     // of the plugin
  std::string library;

  bool built_in() const { return plugin.empty(); }
};

// What all kinds of entries have in common, for lists and run ids.
struct EntryInfo {
  std::string name;
  int version = 1;
  std::string description;
  Origin origin;
  MakeConfig make_config;
};

// A registry of any kind of entry.
class AnyRegistry {
 public:
  virtual ~AnyRegistry() = default;
  virtual const std::string& kind() const = 0;  // "weight quantiser"
  virtual std::vector<EntryInfo> list() const = 0;
  virtual bool contains(const std::string& name) const = 0;
};

// Entries of one kind: structs with at least version, description and make_config. Filled by
// explicit register_builtin_*() functions and by plugins, before anything is resolved; read after.
template <class Entry>
class Registry : public AnyRegistry {
 public:
  explicit Registry(std::string kind, void (*fill)(Registry&) = nullptr) : kind_(std::move(kind)) {
    if (fill) fill(*this);
  }
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Throws Error if the name is taken.
  void add(const std::string& name, Entry entry, Origin origin = {}) {
    if (!entries_.emplace(name, Item{std::move(entry), std::move(origin)}).second)
      throw Error(kind_ + " registry",
                  "each name must be registered once, but '" + name + "' came twice");
  }

  // The reference stays good for the life of the registry. Throws UsageError that lists the names
  // there are.
  const Entry& at(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second.entry;
    std::string known;
    for (const auto& [other, item] : entries_) known += (known.empty() ? "" : ", ") + other;
    throw UsageError(kind_, "must be one of " + known + ", but got '" + name + "'");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, item] : entries_) names.push_back(name);
    return names;
  }

  const std::string& kind() const override { return kind_; }
  bool contains(const std::string& name) const override { return entries_.count(name) > 0; }
  std::vector<EntryInfo> list() const override {
    std::vector<EntryInfo> all;
    for (const auto& [name, item] : entries_)
      all.push_back(
          {name, item.entry.version, item.entry.description, item.origin, item.entry.make_config});
    return all;
  }

 private:
  struct Item {
    Entry entry;
    Origin origin;
  };

  std::string kind_;
  std::map<std::string, Item> entries_;
};

}  // namespace bitlab
