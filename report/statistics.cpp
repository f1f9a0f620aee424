#include "report/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <string>

#include "core/base/error.h"

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

}  // namespace bitlab
