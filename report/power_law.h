#pragma once
// How loss falls with the size of a model: L(N) = E + A / N^alpha. N are parameters outside of the
// embedding, as in Kaplan et al. 2020 (arXiv:2001.08361); E is what no size takes away, as in
// Hoffmann et al. 2022 (arXiv:2203.15556).
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlab {

struct PowerLaw {
  double floor = 0;      // E, nats a token; never below 0
  double amplitude = 0;  // A, nats * parameters^alpha; never below 0
  double exponent = 0;   // alpha

  double at(double size) const;  // L(size)
};

// The losses of all seeds at one size.
struct SizedLosses {
  double size = 0;
  std::vector<double> losses;  // at least one
};

// Three numbers are fitted, and something must be left to judge them by.
constexpr std::size_t kLeastSizes = 4;

// Least squares over all losses, each counting once. For a given alpha, E and A follow in closed
// form, under their bounds; alpha is searched in [0.01, 2] over its logarithm, by a grid and then
// by golden sections. Throws Error with fewer than kLeastSizes sizes, or sizes that are equal.
PowerLaw fit_power_law(const std::vector<SizedLosses>& points);

// Laws that the same experiment might have given, by a bootstrap of residuals on two levels: how
// far the mean at each size is from the law (widened by sqrt(S / (S - 3)) for the three fitted
// numbers), and how far a seed is from the mean of its size (widened likewise). Each draw takes
// both kinds anew, with replacement, and fits again. The mean of a size holds some of its seeds'
// noise already, so the spread errs on the wide side. Draw i takes the residuals at the same
// places for every `points` of equal shape: draws of two arms with the same sizes and seeds are
// paired.
std::vector<PowerLaw> resample_power_law(const std::vector<SizedLosses>& points,
                                         const PowerLaw& law,
                                         std::size_t draws);

}  // namespace bitlab
