#pragma once
// Sweeps that the tests of figures draw. Tests only.
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "report/fake_results.h"
#include "report/figure.h"

namespace bitlab {

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

struct Setting {
  std::string path;
  std::vector<std::string> values;
};

// Arms `full` and `bit` at all points of a grid, with `seeds` finished runs each. The loss grows
// with each index: 2 + 0.1 a point, + 0.5 of `bit`, + 0.01 a seed.
inline Results sweep(const std::vector<Setting>& settings, int seeds = 2) {
  Results results = two_arms({}, {});
  results.arms.clear();
  std::size_t points = 1;
  for (const Setting& setting : settings) points *= setting.values.size();
  for (const std::string base : {"full", "bit"})
    for (std::size_t p = 0; p < points; ++p) {
      ArmResult arm;
      arm.name = arm.base = base;
      arm.tokens_per_step = 512;
      arm.ternary_params = base == "bit" ? 1000 : 0;
      std::size_t rest = p;
      for (const Setting& setting : settings) {
        const std::string& text = setting.values[rest % setting.values.size()];
        rest /= setting.values.size();
        SweptValue value{setting.path, text, std::nullopt};
        if (std::isdigit(text[0])) value.number = std::stod(text);
        arm.axes.push_back(value);
        arm.name += " " + setting.path + "=" + text;
      }
      for (int seed = 1; seed <= seeds; ++seed) {
        const double loss =
            2 + 0.1 * static_cast<double>(p) + (base == "bit" ? 0.5 : 0) + 0.01 * seed;
        arm.runs.push_back(done_run(seed, loss, loss));
      }
      results.arms.push_back(arm);
    }
  results.baseline = "full";
  return results;
}

inline const Setting kLr{"optim.lr", {"0.0003", "0.001", "0.003", "0.01"}};
inline const Setting kQuantizer{"model.quantizer", {"absmean", "absmedian"}};
inline const Setting kDecay{"optim.weight_decay", {"0.0", "0.1", "0.01"}};

inline void fail_run(SeedResult& run) {
  run = other_run(run.seed, SeedState::Failed, "diverged at step 12", 12);
  run.eval = {{0, "val", 4, 0, 1}};
}

// Every format of every figure can be drawn, and `script` is valid gnuplot.
inline void check_drawn(const std::optional<Figure>& figure) {
  REQUIRE(figure);
  CHECK(contains(draw(*figure, ImageFormat::Svg), "</svg>"));
}

}  // namespace bitlab
