#include "report/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "report/arm_comparison.h"
#include "report/claims.h"
#include "report/classification.h"
#include "report/format.h"
#include "report/scaling_verdict.h"
#include "report/statistics.h"
#include "report/sweep_verdict.h"
#include "report/table.h"

namespace bitlab {

namespace {

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

std::string single_arm(const Results& results, const ArmResult& arm) {
  const Summary loss = summarize(final_losses(arm));
  if (loss.n == 0) return fmt::format("No run of {} is done yet.", arm.name);
  const std::string spread = loss.sd ? fmt::format(" ± {} (sd)", format_fixed(*loss.sd, 3)) : "";
  return fmt::format("{} ends at {}{} {} over {}; with one arm there is nothing to compare.",
                     arm.name, format_fixed(loss.mean, 3), spread, loss_unit(results),
                     counted(loss.n, "seed"));
}

// The closest reference losses around the baseline's, for scale.
std::string scale(const Results& results, const ArmResult& baseline) {
  const Summary loss = summarize(final_losses(baseline));
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

// Every arm against the baseline.
std::string arms_verdict(const Results& results, const ArmResult& baseline) {
  if (results.arms.size() == 1) return single_arm(results, baseline) + "\n";
  std::string text;
  for (const ArmResult& arm : results.arms)
    if (&arm != &baseline) text += compare_arms(results, baseline, arm) + "\n";
  return text + many_intervals(results);
}

// `claims` stands behind the comparison of the arms.
std::string compose(const Results& results, const std::string& claims) {
  if (results.arms.empty()) return "The plan has no arms.\n" + data_line(results.data);
  auto baseline = std::find_if(results.arms.begin(), results.arms.end(),
                               [&](const ArmResult& arm) { return arm.name == results.baseline; });
  if (baseline == results.arms.end()) baseline = results.arms.begin();
  std::string text;
  if (const auto study = scaling_study(results))
    text = scaling_verdict(results, *study);
  else if (is_sweep(results))
    text = sweep_verdict(results);
  else if (text = classification_verdict(results); text.empty())
    text = arms_verdict(results, *baseline);
  text += claims + unfinished(results);
  if (!is_sweep(results)) text += scale(results, *baseline);
  return text + data_line(results.data);
}

}  // namespace

std::string verdict(const Results& results) { return compose(results, claims_text(results)); }

std::string verdict_without_claims(const Results& results) { return compose(results, ""); }

}  // namespace bitlab
