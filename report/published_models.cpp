#include "report/published_models.h"

#include <cmath>

namespace bitlab {

const std::vector<PublishedModel>& published_models() {
  static const std::vector<PublishedModel> all = {
      {"700M", 679'477'248, {std::log(12.33), std::log(12.87)}, {3.111, 3.199}},
      {"1.3B", 1'207'762'944, {std::log(11.25), std::log(11.29)}, {3.038, 3.095}},
      {"3B", 3'221'504'000, {std::log(10.04), std::log(9.91)}, {2.811, 2.886}},
  };
  return all;
}

}  // namespace bitlab
