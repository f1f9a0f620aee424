#pragma once
// Where a setting was written, and all that is wrong with a config, shown the way compilers do.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/config/suggest.h"

namespace bitlab {

// A text that settings came from: a TOML file, or one `path=value` of the command line.
struct ConfigText {
  std::string name;  // as shown: "configs/experiments/x.toml", "command line"
  std::string text;
  std::size_t order = 0;  // in which it was opened; errors are sorted by it
  bool command_line = false;
  std::string folder = {};  // that relative paths in it begin in; empty: the current one
  std::size_t merged = 0;   // the how manieth it was merged: what a file extends comes before it
};

// A stretch of one line of a source. Without a source: nowhere, the value is a default.
struct Place {
  std::shared_ptr<const ConfigText> source = nullptr;
  std::size_t line = 0, column = 0;  // from 1, columns in characters
  std::size_t length = 1;            // characters to underline

  bool known() const { return source != nullptr; }
  std::string origin() const;  // "configs/x.toml:7" or "command line"
};

bool operator<(const Place& a, const Place& b);  // nowhere first, then by source, line, column

// Collects errors, so that all are shown at once.
class Problems {
 public:
  // `notes` stand below the line of the source, each on a line of its own. What was said already is
  // ignored.
  void add(const Place& place,
           const std::string& message,
           const std::vector<std::string>& notes = {});

  bool empty() const { return items_.empty(); }

  // Sorted by place:
  //   configs/x.toml:7:1: unknown key 'optim.learning_rat'
  //       7 | learning_rat = 1e-3
  //         | ^^^^^^^^^^^^
  //       did you mean 'optim.lr'?
  std::string text() const;

  // Throws a UsageError with text() if there is anything.
  void throw_if_any() const;

 private:
  struct Item {
    Place place;
    std::string message;
    std::vector<std::string> notes;
  };
  std::vector<Item> items_;
};

}  // namespace bitlab
