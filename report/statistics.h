#pragma once
// What a handful of seeds can tell: mean, spread, the paired difference with its interval, and a
// test of ranks where nothing is paired.
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

// The third quartile plus 1.5 interquartile ranges, but at most the largest value: what lies above
// is far out (Tukey, "Exploratory Data Analysis", 1977). `values` must not be empty.
double upper_fence(std::vector<double> values);

// The x with P(T <= x) = p for Student's t with `dof` degrees of freedom; 0 < p < 1, dof > 0.
double student_t_quantile(double p, double dof);

struct Interval {
  double low = 0, high = 0;
};

// From the 2.5th to the 97.5th percentile of `draws`, as of a bootstrap (Efron & Tibshirani, "An
// Introduction to the Bootstrap", 1993, chapter 13); interpolated between neighbours. `draws` must
// not be empty.
Interval percentile_interval(std::vector<double> draws);

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

// The Mann-Whitney U test of two samples that are not paired (Mann & Whitney 1947,
// doi:10.1214/aoms/1177730491): do values of one tend to be larger than those of the other?
struct MannWhitney {
  std::size_t n_a = 0, n_b = 0;
  double u = 0;        // pairs (a, b) with a > b; ties count one half
  double p = 1;        // two-sided
  bool exact = false;  // from all orders of the ranks; else the normal approximation
};

// p is exact if there are no ties and neither sample has more than 50 values; otherwise normal with
// tie and continuity correction. With 3 and 3 values the least p that there can be is 0.1. Throws
// Error if a sample is empty or a value is not finite.
MannWhitney mann_whitney(const std::vector<double>& a, const std::vector<double>& b);

// The least two-sided p that the exact test can give for samples of these sizes, when every value
// of one is above every value of the other.
double least_p(std::size_t n_a, std::size_t n_b);

// The median of all a[i] - b[j]: how far a lies above b, the estimate that goes with the test
// (Hodges & Lehmann 1963, doi:10.1214/aoms/1177704172). Throws Error if a sample is empty.
double hodges_lehmann(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace bitlab
