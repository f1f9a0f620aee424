#include "report/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <string>

#include "core/base/error.h"
#include "core/base/median.h"

namespace bitlab {

Summary summarize(const std::vector<double>& values) {
  Summary summary;
  summary.n = values.size();
  if (values.empty()) return summary;
  const double n = static_cast<double>(values.size());
  summary.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return summary;
  double squares = 0;
  for (const double x : values) squares += (x - summary.mean) * (x - summary.mean);
  summary.sd = std::sqrt(squares / (n - 1));
  return summary;
}

namespace {

double sorted_quantile(const std::vector<double>& sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto i = static_cast<std::size_t>(at);
  return std::lerp(sorted[i], sorted[std::min(i + 1, sorted.size() - 1)],
                   at - static_cast<double>(i));
}

}  // namespace

double upper_fence(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double first = sorted_quantile(values, 0.25), third = sorted_quantile(values, 0.75);
  return std::min(values.back(), third + 1.5 * (third - first));
}

Interval percentile_interval(std::vector<double> draws) {
  std::sort(draws.begin(), draws.end());
  return {sorted_quantile(draws, 0.025), sorted_quantile(draws, 0.975)};
}

double student_t_quantile(double p, double dof) {
  return boost::math::quantile(boost::math::students_t(dof), p);
}

PairedDifference paired_difference(const std::vector<double>& baseline,
                                   const std::vector<double>& other) {
  if (baseline.size() != other.size() || baseline.empty())
    throw Error("paired difference",
                "both sides must have the same number of values, at least one, but got " +
                    std::to_string(baseline.size()) + " and " + std::to_string(other.size()));
  std::vector<double> differences(baseline.size());
  for (std::size_t i = 0; i < baseline.size(); ++i) differences[i] = other[i] - baseline[i];
  const Summary summary = summarize(differences);
  PairedDifference result{summary.n, summary.mean, std::nullopt};
  if (summary.sd) {
    const double n = static_cast<double>(summary.n);
    const double half = student_t_quantile(0.975, n - 1) * *summary.sd / std::sqrt(n);
    result.interval = Interval{summary.mean - half, summary.mean + half};
  }
  return result;
}

namespace {

constexpr std::size_t kMostExact = 50;  // values of a sample

// P(U <= u) without ties: of the orders of n_a and n_b values, the share in which at most u pairs
// have the value of a above that of b. If the largest of all is from a, it is above all values of
// b:
//   orders(a, b, u) = orders(a - 1, b, u - b) + orders(a, b - 1, u)
double exact_tail(std::size_t n_a, std::size_t n_b, std::size_t u) {
  const std::size_t size = n_a * n_b + 1;
  std::vector<double> nothing(size, 0.0);
  nothing[0] = 1;
  std::vector<std::vector<double>> orders(n_b + 1, nothing);  // of 0 values of a
  for (std::size_t a = 1; a <= n_a; ++a)
    for (std::size_t b = 1; b <= n_b; ++b)
      for (std::size_t k = size; k-- > 0;)
        orders[b][k] = (k >= b ? orders[b][k - b] : 0) + orders[b - 1][k];
  const std::vector<double>& all = orders[n_b];
  const double sum = std::accumulate(all.begin(), all.end(), 0.0);
  return std::accumulate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(u) + 1, 0.0) / sum;
}

// Sum of t^3 - t over the groups of t equal values.
double tie_sum(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (std::size_t i = 0; i < values.size();) {
    const std::size_t first = i;
    while (i < values.size() && values[i] == values[first]) ++i;
    const double t = static_cast<double>(i - first);
    sum += t * t * t - t;
  }
  return sum;
}

double normal_p(double u, double n_a, double n_b, double ties) {
  const double n = n_a + n_b;
  const double variance = n_a * n_b / 12 * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;  // all values are equal
  const double z = std::max(0.0, std::abs(u - n_a * n_b / 2) - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

}  // namespace

MannWhitney mann_whitney(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const auto finite = [](double x) { return std::isfinite(x); };
  if (a.empty() || b.empty() || !std::all_of(both.begin(), both.end(), finite))
    throw Error("Mann-Whitney test",
                "both samples must have finite values, at least one, but got " +
                    std::to_string(a.size()) + " and " + std::to_string(b.size()));
  MannWhitney result{a.size(), b.size()};
  for (const double x : a)
    for (const double y : b) result.u += x > y ? 1 : x == y ? 0.5 : 0;
  const double ties = tie_sum(both);
  result.exact = ties == 0 && std::max(a.size(), b.size()) <= kMostExact;
  if (result.exact) {
    const double pairs = static_cast<double>(a.size() * b.size());
    const auto least = static_cast<std::size_t>(std::min(result.u, pairs - result.u));
    result.p = std::min(1.0, 2 * exact_tail(a.size(), b.size(), least));
  } else {
    result.p =
        normal_p(result.u, static_cast<double>(a.size()), static_cast<double>(b.size()), ties);
  }
  return result;
}

// Of all orders of the values, (n_a + n_b choose n_a), the two extreme ones.
double least_p(std::size_t n_a, std::size_t n_b) {
  double orders = 1;
  for (std::size_t i = 1; i <= n_a; ++i)
    orders *= static_cast<double>(n_b + i) / static_cast<double>(i);
  return std::min(1.0, 2 / orders);
}

double hodges_lehmann(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty())
    throw Error("Hodges-Lehmann estimate", "both samples must have values, but got " +
                                               std::to_string(a.size()) + " and " +
                                               std::to_string(b.size()));
  std::vector<double> differences;
  for (const double x : a)
    for (const double y : b) differences.push_back(x - y);
  return median(std::move(differences));
}

}  // namespace bitlab
