#pragma once
// From settings to typed structs and back: reading, printing, hashing.
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "core/config/settings.h"

namespace bitlab {

// Fills `target` by its fields(). Every value that is of no use is collected: unknown keys (with the nearest known
// one), wrong types, values out of range or not among the choices, broken rules. Throws one UsageError with all.
// An integer is taken where a number is wanted, never the reverse; a string a,b where a list of strings is wanted.
void read_settings(const Settings& settings, Configurable& target);

// One field as it stands in a struct.
struct FieldState {
  std::string path;       // "optim.lr"
  Value value;
  std::string origin;     // "default" or where it was set
  FieldInfo info;
};

// All fields of `target` in the order it declares them. `settings` tells the origins.
std::vector<FieldState> resolved_fields(const Settings& settings, Configurable& target);

// As TOML that reads back to the same values, each with its origin as a comment.
std::string to_toml(const std::vector<FieldState>& fields);

// The fields that decide a result, one `path=value` a line in the order of the paths: what a run's hash is taken of.
std::string canonical_text(const std::vector<FieldState>& fields);

}  // namespace bitlab
