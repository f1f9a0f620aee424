#pragma once
// Early stopping of runs that are worse than others at the same step. A rule looks at validation
// losses on the common axis of steps; the scheduler ends the run, which saves its state.
//
//   asha    asynchronous successive halving (Li et al., arXiv 1810.05934), as a stopping rule: at
//           rungs min_steps * factor^k a run goes on if it is among the best 1/factor (rounded up)
//           of the runs that came to the rung so far, itself included.
//   median  Vizier's median stopping (Golovin et al., KDD 2017): at every evaluation from min_steps
//           on, a run is ended whose best loss so far is worse than the median, over finished runs,
//           of their mean loss up to the same step.
//
// Every judgement is a line of results/NAME/prune.jsonl. A run is judged once at a mark, so what a
// restart finds there stands, and the order in which runs came to a rung is kept.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "experiments/launcher.h"
#include "experiments/run_folder.h"

namespace bitlab {

struct PruneConfig : Configurable {
  std::string rule = "none";
  std::int64_t factor = 3;     // one in so many goes on from a rung
  std::int64_t min_steps = 0;  // no run is judged before; 0: a ninth of its steps
  std::int64_t min_runs = 3;   // no run is judged against fewer, itself included
  std::string among = "arm";   // arm: within an arm of the file; all: across arms

  void fields(FieldVisitor& v) override;
};

struct LossPoint {
  std::int64_t step = 0;
  double loss = 0;
};

class Pruner {
 public:
  // `results` is results/NAME. The rule must not be "none".
  Pruner(const PruneConfig& config, std::filesystem::path results);

  // The reason to end a running run, if there is one. Cheap unless an evaluation is new. Metrics
  // that cannot be read this instant are looked at the next time. Throws Error if the decision
  // cannot be written down.
  std::optional<std::string> judge(const RunJob& job, const RunProgress& progress);

  // The reason of an earlier decision, which may not have reached the run's status.
  std::optional<std::string> decided(const RunJob& job) const;

  // Takes a run that is done as one to compare with, and one that diverged as worse than any.
  void ended(const RunJob& job, const RunStatus& status);

  // Steps at which asha judges a run of so many steps.
  std::vector<std::int64_t> rungs(std::int64_t steps) const;

 private:
  // A judgement: a line of the log.
  struct Entry {
    std::string run, group, decision;  // run: BASE-HASH/seed-K; decision: "on", "prune", "ended"
    std::int64_t mark = 0;             // step of the rung or evaluation
    double value = 0;                  // infinite for a run that diverged before
    std::string reason;
  };
  // A run at a step where it is to be judged.
  struct Mark {
    std::int64_t mark = 0, step = 0;  // step: of the evaluation
    double value = 0;
  };
  struct Threshold {
    double value = 0;
    std::size_t runs = 0;  // that it rests on
  };
  bool asha() const { return config_.rule == "asha"; }
  std::int64_t min_steps(std::int64_t steps) const;
  std::string name_of(const RunJob& job) const;
  std::string group_of(const RunJob& job) const;
  std::vector<Mark> marks(const std::vector<LossPoint>& curve, const RunJob& job) const;
  const std::vector<Entry>& log() const;  // with what others added meanwhile
  void append(const RunJob& job, const Entry& entry, const Mark& mark, const Threshold& threshold);
  std::optional<Threshold> threshold(const std::string& group, const Mark& mark) const;
  std::optional<std::string> judge_curve(const RunJob& job,
                                         const std::vector<LossPoint>& curve,
                                         bool may_prune);

  PruneConfig config_;
  std::filesystem::path results_;
  std::string settings_;                   // judgements under other settings do not count
  std::map<std::string, LossPoint> seen_;  // at the last look, by run
  std::map<std::string, std::vector<std::pair<std::string, std::vector<LossPoint>>>>
      finished_;  // by group: name and curve of the runs that are done
  mutable std::vector<Entry> log_;
  mutable std::int64_t log_bytes_ = 0;  // of prune.jsonl that are in log_
};

}  // namespace bitlab
