#include "experiments/prune.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/median.h"
#include "core/io/metrics.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr double kWorst = std::numeric_limits<double>::infinity();
constexpr const char* kOn = "on";
constexpr const char* kPrune = "prune";
constexpr const char* kEnded = "ended";

ordered_json number(double x) { return std::isfinite(x) ? ordered_json(x) : ordered_json(nullptr); }

// A loss that is no number is worse than any.
double as_loss(double x) { return std::isfinite(x) ? x : kWorst; }

std::string text(double loss) {
  if (!std::isfinite(loss)) return "infinite";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.4f", loss);
  return buffer;
}

}  // namespace

void PruneConfig::fields(FieldVisitor& v) {
  v.field("rule", rule,
          {.help = "ends hopeless runs early: asha (successive halving), median, or none",
           .choices = {"none", "asha", "median"},
           .hashed = false});
  v.field("factor", factor,
          {.help = "asha: one run in so many goes on from a rung", .min = 2, .hashed = false});
  v.field("min_steps", min_steps,
          {.help = "no run is judged before this step, the first rung of asha; 0: a ninth of its "
                   "steps",
           .min = 0,
           .hashed = false});
  v.field("min_runs", min_runs,
          {.help = "no run is judged against fewer runs", .min = 2, .hashed = false});
  v.field("among", among,
          {.help = "arm: runs are compared within their arm; all: across arms",
           .choices = {"arm", "all"},
           .hashed = false});
}

Pruner::Pruner(const PruneConfig& config, fs::path results)
    : config_(config), results_(std::move(results)) {
  settings_ = config_.rule + " min_steps=" + std::to_string(config_.min_steps) +
              " min_runs=" + std::to_string(config_.min_runs) + " among=" + config_.among;
  if (asha()) settings_ += " factor=" + std::to_string(config_.factor);
}

std::int64_t Pruner::min_steps(std::int64_t steps) const {
  return config_.min_steps > 0 ? config_.min_steps : std::max<std::int64_t>(1, steps / 9);
}

std::vector<std::int64_t> Pruner::rungs(std::int64_t steps) const {
  std::vector<std::int64_t> rungs;
  for (std::int64_t rung = min_steps(steps); rung < steps; rung *= config_.factor)
    rungs.push_back(rung);
  return rungs;
}

std::string Pruner::name_of(const RunJob& job) const {
  return (job.dir.parent_path().filename() / job.dir.filename()).string();
}

// Runs of other lengths have other schedules: their losses at a step say nothing of each other.
std::string Pruner::group_of(const RunJob& job) const {
  return (config_.among == "all" ? "all" : job.base) + " " + std::to_string(job.steps) + " steps";
}

std::vector<Pruner::Mark> Pruner::marks(const std::vector<LossPoint>& curve,
                                        const RunJob& job) const {
  std::vector<Mark> found;
  if (asha()) {
    for (const std::int64_t rung : rungs(job.steps)) {
      const auto at = std::find_if(curve.begin(), curve.end(),
                                   [&](const LossPoint& point) { return point.step >= rung; });
      if (at != curve.end()) found.push_back({rung, at->step, at->loss});
    }
    return found;
  }
  double best = kWorst;
  for (const LossPoint& point : curve) {
    best = std::min(best, point.loss);
    if (point.step >= min_steps(job.steps) && point.step < job.steps)
      found.push_back({point.step, point.step, best});
  }
  return found;
}

const std::vector<Pruner::Entry>& Pruner::log() const {
  std::ifstream in(results_ / "prune.jsonl", std::ios::binary);
  in.seekg(log_bytes_);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    log_bytes_ += static_cast<std::int64_t>(line.size()) + 1;
    const ordered_json j = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    // A line that a crash cut off was never acted on.
    if (!j.is_object() || j.value("settings", "") != settings_) continue;
    const ordered_json& value = j.at("value");
    log_.push_back({j.at("run"), j.at("group"), j.at("decision"), j.at("mark"),
                    value.is_null() ? kWorst : value.get<double>(), j.at("reason")});
  }
  return log_;
}

void Pruner::append(const RunJob& job,
                    const Entry& entry,
                    const Mark& mark,
                    const Threshold& threshold) {
  const ordered_json j = {{"time", utc_now()},
                          {"run", entry.run},
                          {"arm", job.arm},
                          {"seed", job.seed},
                          {"settings", settings_},
                          {"group", entry.group},
                          {"mark", entry.mark},
                          {"step", mark.step},
                          {"value", number(entry.value)},
                          {"threshold", number(threshold.value)},
                          {"runs", threshold.runs},
                          {"decision", entry.decision},
                          {"reason", entry.reason}};
  append_line(results_ / "prune.jsonl", j.dump());
}

std::optional<Pruner::Threshold> Pruner::threshold(const std::string& group,
                                                   const Mark& mark) const {
  std::vector<double> values;
  if (asha()) {
    values.push_back(mark.value);
    for (const Entry& entry : log())
      if (entry.group == group && entry.mark == mark.mark) values.push_back(entry.value);
    const auto factor = static_cast<std::size_t>(config_.factor);
    if (values.size() < std::max(factor, static_cast<std::size_t>(config_.min_runs)))
      return std::nullopt;
    std::sort(values.begin(), values.end());
    const std::size_t stay = (values.size() + factor - 1) / factor;
    return Threshold{values[stay - 1], values.size()};
  }
  const auto others = finished_.find(group);
  if (others == finished_.end()) return std::nullopt;
  for (const auto& [name, curve] : others->second) {
    double sum = 0;
    std::size_t count = 0;
    for (const LossPoint& point : curve)
      if (point.step <= mark.mark) sum += point.loss, ++count;
    if (count > 0) values.push_back(sum / static_cast<double>(count));
  }
  if (values.size() + 1 < static_cast<std::size_t>(config_.min_runs)) return std::nullopt;
  return Threshold{median(values), values.size()};
}

std::optional<std::string> Pruner::judge_curve(const RunJob& job,
                                               const std::vector<LossPoint>& curve,
                                               bool may_prune) {
  const std::vector<Mark> reached = marks(curve, job);
  if (reached.empty()) return std::nullopt;
  // One scheduler at a time, so that arrivals at a rung have an order.
  const FileLock lock = FileLock::wait_for(results_ / "prune.lock");
  const std::string run = name_of(job), group = group_of(job);
  for (const Mark& mark : reached) {
    const std::vector<Entry>& known = log();
    const auto before = std::find_if(known.begin(), known.end(), [&](const Entry& entry) {
      return entry.run == run && entry.mark == mark.mark;
    });
    if (before != known.end()) {
      if (may_prune && before->decision == kPrune) return before->reason;
      continue;
    }
    const auto limit = threshold(group, mark);
    Entry entry{run, group, may_prune ? kOn : kEnded, mark.mark, mark.value, ""};
    if (may_prune && limit && mark.value > limit->value) {
      entry.decision = kPrune;
      entry.reason = "pruned by " + config_.rule + " at step " + std::to_string(mark.mark) +
                     ": val loss " + text(mark.value) + " is above " + text(limit->value) +
                     (asha() ? ", what the best 1/" + std::to_string(config_.factor) + " of "
                             : ", the median of ") +
                     std::to_string(limit->runs) + (asha() ? " runs reach" : " finished runs");
    }
    append(job, entry, mark, limit.value_or(Threshold{std::nan(""), 0}));
    if (entry.decision == kPrune) return entry.reason;
  }
  return std::nullopt;
}

namespace {

// The validation losses of a run so far; empty if they cannot be read.
std::vector<LossPoint> read_curve(const fs::path& run) {
  std::vector<LossPoint> curve;
  try {
    for (const EvalRow& row : read_metrics(run / "metrics.h5").eval)
      if (row.split == "val") curve.push_back({row.step, as_loss(row.loss)});
  } catch (const Error&) {
    return {};
  }
  return curve;
}

}  // namespace

std::optional<std::string> Pruner::judge(const RunJob& job, const RunProgress& progress) {
  if (progress.step < min_steps(job.steps)) return std::nullopt;
  // A new evaluation mostly has a new loss; one that stays as it is, is seen at the next hundredth.
  LossPoint& seen = seen_.try_emplace(name_of(job), LossPoint{-job.steps, 0}).first->second;
  const bool new_loss = std::memcmp(&seen.loss, &progress.val_loss, sizeof seen.loss) != 0;
  if (!new_loss && progress.step - seen.step < std::max<std::int64_t>(1, job.steps / 100))
    return std::nullopt;
  const std::vector<LossPoint> curve = read_curve(job.dir);
  if (curve.empty()) return std::nullopt;
  seen = {progress.step, progress.val_loss};
  return judge_curve(job, curve, /*may_prune=*/true);
}

std::optional<std::string> Pruner::decided(const RunJob& job) const {
  const std::string run = name_of(job);
  for (const Entry& entry : log())
    if (entry.run == run && entry.decision == kPrune) return entry.reason;
  return std::nullopt;
}

void Pruner::ended(const RunJob& job, const RunStatus& status) {
  std::vector<LossPoint> curve = read_curve(job.dir);
  if (status.reason.starts_with("diverged")) {
    for (const std::int64_t rung : rungs(job.steps))
      if (curve.empty() || curve.back().step < rung) curve.push_back({rung, kWorst});
    if (asha()) judge_curve(job, curve, /*may_prune=*/false);
    return;
  }
  if (!RunFolder(job.dir).done()) return;
  finished_[group_of(job)].emplace_back(name_of(job), curve);
  if (asha()) judge_curve(job, curve, /*may_prune=*/false);
}

}  // namespace bitlab
