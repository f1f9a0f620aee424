#pragma once
// Which linear layers of a model are replaced, told by their names.
#include <string>
#include <vector>

#include "core/config/fields.h"

namespace bitlab {

// A pattern is a name, or the end of one from a dot on, in which * stands for any characters:
// "classifier", "attn.wq", "blocks.0.*", "*".
bool name_matches(const std::string& name, const std::string& pattern);

// Those that a pattern of `include` matches and none of `exclude`. Seed 0 skips the children that
// are named exactly "classifier".
struct ReplacementConfig : Configurable {
  std::vector<std::string> include = {"*"};
  std::vector<std::string> exclude = {"classifier"};

  void fields(FieldVisitor& v) override;
  bool replaces(const std::string& name) const;

  // Throws UsageError that lists `names` if a pattern of include or exclude matches none of them.
  void check(const std::vector<std::string>& names) const;
};

}  // namespace bitlab
