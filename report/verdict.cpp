#include "report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/format.h"
#include "report/statistics.h"
#include "report/table.h"

namespace bitlab {

namespace {

// The final losses of the seeds that both arms have done.
struct Pairs {
  std::vector<double> baseline, other;
  std::vector<std::int64_t> seeds;
};

Pairs pairs_of(const ArmResult& baseline, const ArmResult& other) {
  Pairs pairs;
  for (const SeedResult& a : baseline.runs)
    for (const SeedResult& b : other.runs) {
      if (a.seed != b.seed || !a.done() || !b.done()) continue;
      pairs.baseline.push_back(*final_val_loss(a));
      pairs.other.push_back(*final_val_loss(b));
      pairs.seeds.push_back(a.seed);
    }
  return pairs;
}

std::string unit_of(const Results& results) { return "nats/" + results.data.unit; }

std::string counted(std::size_t n, const std::string& noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

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
                       format_fixed(std::pow(10.0, -digits), digits), unit_of(results));
  return fmt::format("{} ends {} {} {} {}", other.name, size, unit_of(results),
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

std::string compare(const Results& results, const ArmResult& baseline, const ArmResult& other) {
  const Pairs pairs = pairs_of(baseline, other);
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

// "Unfinished: ..." for the arms with runs that are not done; empty if all are.
std::string unfinished(const Results& results) {
  std::string arms;
  bool failed = false;
  for (const ArmResult& arm : results.arms) {
    if (arm.done() == arm.runs.size()) continue;
    arms += fmt::format(" {}: {}.", arm.name, describe_states(arm));
    failed |= std::any_of(arm.runs.begin(), arm.runs.end(),
                          [](const SeedResult& run) { return run.state == SeedState::Failed; });
  }
  if (arms.empty()) return "";
  return "Unfinished:" + arms + " Only runs that are done enter the figures" +
         (failed ? ", which flatters an arm whose seeds failed.\n" : ".\n");
}

Summary final_losses(const ArmResult& arm) {
  std::vector<double> losses;
  for (const SeedResult& run : arm.runs)
    if (run.done()) losses.push_back(*final_val_loss(run));
  return summarize(losses);
}

std::string single_arm(const Results& results, const ArmResult& arm) {
  const Summary loss = final_losses(arm);
  if (loss.n == 0) return fmt::format("No run of {} is done yet.", arm.name);
  const std::string spread = loss.sd ? fmt::format(" ± {} (sd)", format_fixed(*loss.sd, 3)) : "";
  return fmt::format("{} ends at {}{} {} over {}; with one arm there is nothing to compare.",
                     arm.name, format_fixed(loss.mean, 3), spread, unit_of(results),
                     counted(loss.n, "seed"));
}

// The closest reference losses around the baseline's, for scale.
std::string scale(const Results& results, const ArmResult& baseline) {
  const Summary loss = final_losses(baseline);
  if (loss.n == 0) return "";
  const ReferenceLine *above = nullptr, *below = nullptr;
  for (const ReferenceLine& r : results.references) {
    if (r.loss >= loss.mean && (above == nullptr || r.loss < above->loss)) above = &r;
    if (r.loss < loss.mean && (below == nullptr || r.loss > below->loss)) below = &r;
  }
  std::string around;
  for (const ReferenceLine* r : {above, below})
    if (r != nullptr)
      around +=
          fmt::format("{}{} {}", around.empty() ? "" : " and ", r->name, format_fixed(r->loss, 3));
  if (around.empty()) return "";
  return fmt::format("For scale: {} ends at {}; on the same split the nearest references are {}.\n",
                     baseline.name, format_fixed(loss.mean, 3), around);
}

std::string data_line(const DataUsed& data) {
  std::string line = "Data: " + data.source;
  if (data.train_tokens > 0)
    line += fmt::format(", {} training and {} validation {}s", format_count(data.train_tokens),
                        format_count(data.val_tokens), data.unit);
  if (!data.sha256.empty()) line += ", sha256 " + data.sha256.substr(0, 8);
  return line + ".\n";
}

}  // namespace

std::string verdict(const Results& results) {
  if (results.arms.empty()) return "The plan has no arms.\n" + data_line(results.data);
  auto baseline = std::find_if(results.arms.begin(), results.arms.end(),
                               [&](const ArmResult& arm) { return arm.name == results.baseline; });
  if (baseline == results.arms.end()) baseline = results.arms.begin();
  std::string text;
  for (auto arm = results.arms.begin(); arm != results.arms.end(); ++arm)
    if (arm != baseline) text += compare(results, *baseline, *arm) + "\n";
  if (results.arms.size() == 1) text += single_arm(results, *baseline) + "\n";
  if (results.arms.size() > 2)
    text += fmt::format(
        "Each of the {} intervals stands alone; taken together they miss more often than "
        "one time in twenty.\n",
        results.arms.size() - 1);
  return text + unfinished(results) + scale(results, *baseline) + data_line(results.data);
}

}  // namespace bitlab
