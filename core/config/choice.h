#pragma once
// A setting that names an entry of a registry, with the entry's own settings in the table that is
// named after it: optim.name = "lion", and below [optim.lion] what Lion has.
#include <memory>
#include <string>

#include "core/base/registry.h"
#include "core/config/fields.h"

namespace bitlab {

// The settings of the entry `name`, in the table named after it; no table if it has none.
inline void own_settings(FieldVisitor& v, const std::string& name, Configurable& settings) {
  if (dynamic_cast<const NoSettings*>(&settings)) return;
  v.begin(name, "settings of " + name);
  settings.fields(v);
  v.end();
}

// Visits the field `key` of the current table, then the settings of the entry that it names.
// `settings` may be null before, and are those of `name` after. Hashed: as in FieldInfo.
template <class Entry, class Pointer>
void choice_field(FieldVisitor& v,
                  const std::string& key,
                  std::string& name,
                  Pointer& settings,
                  const Registry<Entry>& registry,
                  const std::string& help,
                  bool hashed = true) {
  const std::string before = name;
  v.field(
      key, name,
      {.help = help, .choices = registry.names(), .hashed = hashed, .registry = registry.kind()});
  if (!settings || name != before) settings = registry.at(name).make_config();
  own_settings(v, name, *settings);
}

}  // namespace bitlab
