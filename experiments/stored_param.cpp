#include "experiments/stored_param.h"

#include <utility>

#include "layers/embedding.h"

namespace bitlab {

void read_param(const SafetensorsFile& file, const Param& p, LanguageModel& model, Tables tables) {
  TokenTable* const table = tables == Tables::AsStored ? model.token_table(p.name) : nullptr;
  SmallFloats small;
  if (table != nullptr && file.read_small(p.name, small, p.size()))
    table->hold(std::move(small));
  else
    file.read(p.name, p.value.data, p.size());
}

}  // namespace bitlab
