#pragma once
// What a handful of seeds can tell: mean, spread, and the paired difference with its interval.
#include <cstddef>
#include <optional>
#include <vector>

namespace bitlab {

struct Summary {
  std::size_t n = 0;
  double mean = 0;           // meaningless if n is 0
  std::optional<double> sd;  // sample standard deviation (divisor n - 1); empty if n < 2
};

Summary summarize(const std::vector<double>& values);

// The x with P(T <= x) = p for Student's t with `dof` degrees of freedom; 0 < p < 1, dof > 0.
double student_t_quantile(double p, double dof);

struct Interval {
  double low = 0, high = 0;
};

// The mean of other[i] - baseline[i] and its two-sided 95 % interval, mean +- t(0.975, n - 1) sd /
// sqrt(n). It holds if the differences are normal over seeds. With one pair there is no interval.
struct PairedDifference {
  std::size_t n = 0;
  double mean = 0;
  std::optional<Interval> interval;
};

// Throws Error if the two differ in length or are empty.
PairedDifference paired_difference(const std::vector<double>& baseline,
                                   const std::vector<double>& other);

}  // namespace bitlab
