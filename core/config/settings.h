#pragma once
// What config files and the command line set, before anything knows which settings there are.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/config/problems.h"

namespace bitlab {

// A value as it was written.
struct Value {
  // Other: dates, and tables inside lists.
  enum class Kind { Boolean, Integer, Float, String, List, Other };
  Kind kind = Kind::Other;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;         // of an Integer too
  std::string text;          // of a String
  std::vector<Value> items;  // of a List
  std::string written;       // in the source, for messages
  bool computed = false;     // a Float between two others: an integer field takes the nearest
  Place place;
};

struct Setting {
  bool table = false;  // a table that the source names; then there is no value
  Value value;
  Place key;
  std::string arm;  // the arm that it belongs to, empty for all
};

// By dotted path: "optim.lr". Keys themselves contain no dots.
using Settings = std::map<std::string, Setting>;

// The part of a path before the last dot (empty at the top), and the part after it.
std::string table_of(const std::string& path);
std::string key_of(const std::string& path);
std::string join_path(const std::string& table, const std::string& key);

// Everything that one request for a config consists of.
struct LoadedConfig {
  Settings file;  // of the file and all that it extends; arms under "arms.NAME.", "sweep."
  Settings command_line;
};

// The arms in the order in which they are first written; none if the config has no table `arms`.
std::vector<std::string> arm_names(const LoadedConfig& config);

// What `settings` has below a table, by the path from there: of "sweep", "optim.lr" for
// "sweep.optim.lr".
Settings settings_below(const Settings& settings, const std::string& table);

// What holds for one arm, without the table `sweep`: the file, over it the arm's table, over that
// the command line, over that what the command line says about this arm. An empty name: what all
// arms share.
Settings settings_of_arm(const LoadedConfig& config, const std::string& arm);

}  // namespace bitlab
