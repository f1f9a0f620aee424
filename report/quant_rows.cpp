#include "report/quant_rows.h"

#include <filesystem>
#include <sstream>

namespace bitlab {

std::vector<QuantRow> load_quant(const SeedResult& run) {
  const std::filesystem::path file = run.dir / "metrics.h5";
  if (run.dir.empty() || !std::filesystem::exists(file)) return {};
  return read_metrics(file).quant;
}

LayerPlace layer_place(const std::string& parameter) {
  LayerPlace place;
  std::stringstream parts(parameter);
  for (std::string part; std::getline(parts, part, '.');) {
    const bool number = part.find_first_not_of("0123456789") == std::string::npos;
    if (number && !part.empty() && part.size() < 10 && !place.block) {
      place.block = std::stoll(part);
      place.kind.clear();  // what the list of blocks is called says nothing
    } else {
      place.kind += (place.kind.empty() ? "" : ".") + part;
    }
  }
  if (place.kind.ends_with(".weight")) place.kind.resize(place.kind.size() - 7);
  return place;
}

}  // namespace bitlab
