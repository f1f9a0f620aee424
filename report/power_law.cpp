#include "report/power_law.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "report/statistics.h"

namespace bitlab {

namespace {

constexpr double kLeastExponent = 0.01, kMostExponent = 2;

// The mean loss at one size; what least squares needs of its seeds.
struct SizedMean {
  double log_size = 0;  // against the geometric mean of the sizes, so that powers stay near 1
  double loss = 0, weight = 0;
};

struct MeansOfSizes {
  std::vector<SizedMean> means;
  double centre = 0;  // the logarithm of the geometric mean
};

MeansOfSizes means_of(const std::vector<SizedLosses>& points) {
  MeansOfSizes all;
  for (const SizedLosses& point : points)
    all.centre += std::log(point.size) / static_cast<double>(points.size());
  for (const SizedLosses& point : points)
    all.means.push_back({std::log(point.size) - all.centre, summarize(point.losses).mean,
                         static_cast<double>(point.losses.size())});
  return all;
}

// E and A for one alpha, and the squared error that they leave. The amplitude is against the
// centred sizes.
struct Fit {
  double floor = 0, amplitude = 0, error = 0;
};

Fit fit_linear(const std::vector<SizedMean>& means, double exponent) {
  double w = 0, z = 0, y = 0, zz = 0, zy = 0;
  for (const SizedMean& m : means) {
    const double power = std::exp(-exponent * m.log_size);
    w += m.weight;
    z += m.weight * power;
    y += m.weight * m.loss;
    zz += m.weight * power * power;
    zy += m.weight * power * m.loss;
  }
  Fit fit;
  fit.amplitude = (w * zy - z * y) / (w * zz - z * z);
  fit.floor = (y - fit.amplitude * z) / w;
  if (fit.amplitude < 0) {
    fit.amplitude = 0;
    fit.floor = y / w;
  } else if (fit.floor < 0) {
    fit.floor = 0;
    fit.amplitude = zy / zz;
  }
  for (const SizedMean& m : means) {
    const double left =
        m.loss - fit.floor - fit.amplitude * std::exp(-exponent * m.log_size);
    fit.error += m.weight * left * left;
  }
  return fit;
}

// The logarithm of the best alpha.
double search_exponent(const std::vector<SizedMean>& means) {
  constexpr int kGrid = 48, kSections = 40;
  const double low = std::log(kLeastExponent), high = std::log(kMostExponent);
  const double step = (high - low) / kGrid;
  const auto error = [&](double log_exponent) {
    return fit_linear(means, std::exp(log_exponent)).error;
  };
  double best = low, least = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= kGrid; ++i)
    if (const double here = error(low + i * step); here < least) {
      least = here;
      best = low + i * step;
    }
  constexpr double kGolden = 0.6180339887498949;
  double a = std::max(low, best - step), b = std::min(high, best + step);
  double c = b - kGolden * (b - a), d = a + kGolden * (b - a);
  double error_c = error(c), error_d = error(d);
  for (int i = 0; i < kSections; ++i) {
    if (error_c < error_d) {
      b = d;
      d = c;
      error_d = error_c;
      c = b - kGolden * (b - a);
      error_c = error(c);
    } else {
      a = c;
      c = d;
      error_c = error_d;
      d = a + kGolden * (b - a);
      error_d = error(d);
    }
  }
  return (a + b) / 2;
}

PowerLaw fit_means(const MeansOfSizes& all) {
  const double exponent = std::exp(search_exponent(all.means));
  const Fit fit = fit_linear(all.means, exponent);
  return {fit.floor, fit.amplitude * std::exp(exponent * all.centre), exponent};
}

// Deviations of the means from the law, and of the seeds from the means.
struct Residuals {
  std::vector<double> of_means, of_seeds;  // of_seeds is empty where every size has one seed
};

Residuals residuals_of(const std::vector<SizedLosses>& points, const PowerLaw& law) {
  Residuals residuals;
  const auto sizes = static_cast<double>(points.size());
  const double widened = std::sqrt(sizes / (sizes - 3));
  for (const SizedLosses& point : points) {
    const double mean = summarize(point.losses).mean;
    residuals.of_means.push_back(widened * (mean - law.at(point.size)));
    const auto seeds = static_cast<double>(point.losses.size());
    if (seeds < 2) continue;
    for (const double loss : point.losses)
      residuals.of_seeds.push_back(std::sqrt(seeds / (seeds - 1)) * (loss - mean));
  }
  return residuals;
}

double pick(const std::vector<double>& values, double uniform) {
  return values[static_cast<std::size_t>(uniform * static_cast<double>(values.size()))];
}

}  // namespace

double PowerLaw::at(double size) const {
  return floor + amplitude * std::exp(-exponent * std::log(size));
}

PowerLaw fit_power_law(const std::vector<SizedLosses>& points) {
  std::vector<double> sizes;
  for (const SizedLosses& point : points) sizes.push_back(point.size);
  std::sort(sizes.begin(), sizes.end());
  const bool distinct = std::adjacent_find(sizes.begin(), sizes.end()) == sizes.end();
  if (sizes.size() < kLeastSizes || !distinct || sizes.front() <= 0)
    throw Error("power law", "needs at least " + std::to_string(kLeastSizes) +
                                 " sizes above 0, each once, but got " +
                                 std::to_string(sizes.size()));
  return fit_means(means_of(points));
}

std::vector<PowerLaw> resample_power_law(const std::vector<SizedLosses>& points,
                                         const PowerLaw& law,
                                         std::size_t draws) {
  const Residuals residuals = residuals_of(points, law);
  const Rng rng(0, "bootstrap of the power law");
  MeansOfSizes all = means_of(points);
  std::vector<PowerLaw> laws;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    std::size_t index = 0;  // of the draw's random numbers
    for (std::size_t s = 0; s < points.size(); ++s) {
      double mean = law.at(points[s].size) + pick(residuals.of_means, rng.uniform(draw, index++));
      if (!residuals.of_seeds.empty())
        for (std::size_t i = 0; i < points[s].losses.size(); ++i)
          mean += pick(residuals.of_seeds, rng.uniform(draw, index++)) / all.means[s].weight;
      all.means[s].loss = mean;
    }
    laws.push_back(fit_means(all));
  }
  return laws;
}

}  // namespace bitlab
