#include "experiments/stored_param.h"

namespace bitlab {

void read_param(const SafetensorsFile& file, const Param& p, LanguageModel& model, Tables tables) {
  SmallFloats small;
  if (tables == Tables::Widened || !file.read_small(p.name, small, p.size()))
    return file.read(p.name, p.value.data, p.size());
  if (model.hold_table(p.name, small)) return;
  for (std::size_t i = 0; i < p.size(); ++i) p.value.data[i] = small.at(i);
}

}  // namespace bitlab
