#pragma once
// What to_toml() printed, read back as text: the settings of runs whose program may be another one.
#include <string>
#include <vector>

namespace bitlab {

struct PrintedField {
  std::string path;    // "optim.lr"
  std::string toml;    // the value as it stands there: 0.001, "absmean", [1, 2]
  std::string origin;  // "default", "configs/x.toml:7"
};

// The fields of a text by to_toml(), in its order. Lines of another form are passed over: nothing
// is checked, so that a thousand files take a moment and those of older versions can be read.
std::vector<PrintedField> read_fields(const std::string& text);

}  // namespace bitlab
