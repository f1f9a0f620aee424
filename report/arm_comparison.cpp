#include "report/arm_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/format.h"

namespace bitlab {

std::string loss_unit(const Results& results) { return "nats/" + results.data.unit; }

std::string counted(std::size_t n, const std::string& noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string many_intervals(const Results& results) {
  if (results.arms.size() <= 2) return "";
  return fmt::format(
      "Each of the {} intervals stands alone; taken together they miss more often than "
      "one time in twenty.\n",
      results.arms.size() - 1);
}

std::vector<double> final_losses(const ArmResult& arm) {
  std::vector<double> losses;
  for (const SeedResult& run : arm.runs)
    if (const auto loss = final_val_loss(run); run.done() && loss) losses.push_back(*loss);
  return losses;
}

PairedLosses paired_losses(const ArmResult& baseline, const ArmResult& other) {
  PairedLosses pairs;
  for (const SeedResult& a : baseline.runs)
    for (const SeedResult& b : other.runs) {
      if (a.seed != b.seed || !a.done() || !b.done()) continue;
      pairs.baseline.push_back(*final_val_loss(a));
      pairs.other.push_back(*final_val_loss(b));
      pairs.seeds.push_back(a.seed);
    }
  return pairs;
}

namespace {

// As many digits as show two significant ones of `x`, three to six.
int digits_for(double x) {
  if (!(x > 0)) return 3;
  return std::clamp(1 - static_cast<int>(std::floor(std::log10(x))), 3, 6);
}

std::string ends_where(const Results& results,
                       const ArmResult& baseline,
                       const ArmResult& other,
                       double difference,
                       int digits) {
  const std::string size = format_fixed(std::abs(difference), digits);
  if (std::stod(size) == 0)
    return fmt::format("{} ends level with {} to within {} {}", other.name, baseline.name,
                       format_fixed(std::pow(10.0, -digits), digits), loss_unit(results));
  return fmt::format("{} ends {} {} {} {}", other.name, size, loss_unit(results),
                     difference > 0 ? "above" : "below", baseline.name);
}

// What a difference that is not chance means: the change of perplexity, and for whom.
std::string conclusion(const ArmResult& baseline, const ArmResult& other, double difference) {
  const bool ternary_is_new = baseline.ternary_params == 0 && other.ternary_params > 0;
  const double percent = 100 * std::abs(std::expm1(difference));
  const std::string change = format_fixed(percent, percent < 0.95 ? 2 : 1) + " % in perplexity";
  if (ternary_is_new && difference > 0)
    return fmt::format("in this setting ternary weights cost {}.", change);
  if (ternary_is_new) return fmt::format("in this setting ternary weights gain {}.", change);
  return fmt::format("in this setting {} is {} than {}, by {}.", other.name,
                     difference > 0 ? "worse" : "better", baseline.name, change);
}

std::string compare_by_ranks(const Results& results,
                             const ArmResult& baseline,
                             const ArmResult& other,
                             std::size_t pairs) {
  const std::vector<double> a = final_losses(other), b = final_losses(baseline);
  const double difference = hodges_lehmann(a, b);
  const MannWhitney test = mann_whitney(a, b);
  const std::string text = fmt::format(
      "{} (median of all differences; {})",
      ends_where(results, baseline, other, difference, digits_for(std::abs(difference))),
      ranks_text(test, pairs));
  if (test.p < 0.05) return text + ": " + conclusion(baseline, other, difference);
  return text + ": these seeds show no difference that chance could not make.";
}

}  // namespace

bool compared_by_ranks(std::size_t pairs, std::size_t n_a, std::size_t n_b) {
  return pairs < 2 && n_a > 0 && n_b > 0 && n_a + n_b > 2;
}

std::string ranks_text(const MannWhitney& test, std::size_t pairs) {
  std::string text =
      fmt::format("Mann-Whitney over {} and {} seeds, {} common: U = {} of {}, p = {}", test.n_a,
                  test.n_b, pairs == 0 ? "none" : std::to_string(pairs), test.u,
                  test.n_a * test.n_b, format_fixed(test.p, test.p < 0.1 ? 3 : 2));
  if (const double least = least_p(test.n_a, test.n_b); least >= 0.05)
    text += fmt::format(", and so few can give no less than {}", format_fixed(least, 2));
  return text;
}

std::string compare_arms(const Results& results,
                         const ArmResult& baseline,
                         const ArmResult& other) {
  const PairedLosses pairs = paired_losses(baseline, other);
  if (compared_by_ranks(pairs.seeds.size(), final_losses(baseline).size(),
                        final_losses(other).size()))
    return compare_by_ranks(results, baseline, other, pairs.seeds.size());
  if (pairs.seeds.empty())
    return fmt::format("{} cannot be compared with {} yet: no seed is done in both.", other.name,
                       baseline.name);
  const PairedDifference d = paired_difference(pairs.baseline, pairs.other);
  if (!d.interval)
    return fmt::format(
        "{} on seed {}, the only pair: one seed gives no interval, so how much of that is "
        "chance is unknown.",
        ends_where(results, baseline, other, d.mean, digits_for(std::abs(d.mean))),
        pairs.seeds.front());
  const int digits = digits_for((d.interval->high - d.interval->low) / 2);
  const std::string difference = fmt::format(
      "{} (95 % interval {} to {}, {})", ends_where(results, baseline, other, d.mean, digits),
      format_fixed(d.interval->low, digits), format_fixed(d.interval->high, digits),
      counted(d.n, "paired seed"));
  if (d.interval->low <= 0 && d.interval->high >= 0)
    return difference +
           ", an interval that contains 0: these seeds show no difference that chance could "
           "not make.";
  return difference + ": " + conclusion(baseline, other, d.mean);
}

}  // namespace bitlab
