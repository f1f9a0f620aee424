// Which points of the axes are visited.
#include <algorithm>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "experiments/sweep.h"

namespace bitlab {

namespace {

constexpr double kMostPoints = 100'000;

std::size_t length(const Sweep& sweep, const std::vector<std::size_t>& group) {
  return sweep.axes[group.front()].values.size();
}

std::vector<SweepPoint> grid(const Sweep& sweep) {
  double count = 1;
  for (const auto& group : sweep.groups) count *= static_cast<double>(length(sweep, group));
  if (count > kMostPoints)
    throw UsageError("sweep", "the grid must have at most 100000 points",
                     "draw from it with sampler = \"random\" and samples = N");
  std::vector<SweepPoint> points = {SweepPoint(sweep.axes.size())};
  for (const auto& group : sweep.groups) {
    std::vector<SweepPoint> longer;
    for (const SweepPoint& point : points) {
      for (std::size_t value = 0; value < length(sweep, group); ++value) {
        longer.push_back(point);
        for (const std::size_t axis : group) longer.back()[axis] = sweep.axes[axis].values[value];
      }
    }
    points = std::move(longer);
  }
  return points;
}

// The value at u in [0, 1).
Value draw(const Axis& axis, double u) {
  if (axis.continuous) return value_between(axis, u);
  const auto n = static_cast<double>(axis.values.size());
  return axis.values[static_cast<std::size_t>(std::floor(u * n))];
}

using Uniform = std::function<double(std::size_t sample, std::size_t group)>;

std::vector<SweepPoint> sample(const Sweep& sweep, const Uniform& uniform) {
  std::vector<SweepPoint> points(static_cast<std::size_t>(sweep.options.samples),
                                 SweepPoint(sweep.axes.size()));
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t group = 0; group < sweep.groups.size(); ++group) {
      const double u = uniform(i, group);
      for (const std::size_t axis : sweep.groups[group])
        points[i][axis] = draw(sweep.axes[axis], u);
    }
  }
  return points;
}

std::vector<SweepPoint> random_points(const Sweep& sweep) {
  std::vector<Rng> streams;
  for (const auto& group : sweep.groups)
    streams.emplace_back(static_cast<std::uint64_t>(sweep.options.sampler_seed),
                         "sweep/" + sweep.axes[group.front()].path);
  return sample(sweep,
                [&](std::size_t i, std::size_t group) { return streams[group].uniform(i, 0); });
}

std::vector<SweepPoint> sobol_points(const Sweep& sweep) {
  boost::random::sobol_engine<std::uint32_t, 32> engine(sweep.groups.size());
  return sample(sweep, [&](std::size_t, std::size_t) { return engine() * 0x1p-32; });
}

}  // namespace

std::vector<SweepPoint> Sweep::points() const {
  if (axes.empty()) return {SweepPoint{}};
  if (options.sampler == "random") return random_points(*this);
  if (options.sampler == "sobol") return sobol_points(*this);
  return grid(*this);
}

}  // namespace bitlab
