#include "experiments/time_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <tuple>

#include "experiments/classification_task.h"
#include "experiments/footprint.h"
#include "experiments/planning.h"
#include "experiments/provenance.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kEnoughRuns = 16;  // of one arm: more change nothing

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool of_arm(const fs::path& folder, const std::string& base) {
  const std::string name = folder.filename().string();
  return name.size() == base.size() + 9 && name.starts_with(base + "-");
}

// How many times as fast as with one thread.
double speedup(const Spec& spec, std::size_t threads) {
  return static_cast<double>(spec.train.shards) /
         static_cast<double>(shard_rounds(spec.train.shards, threads));
}

struct Measured {
  double thread_seconds = 0, flops = 0;
  std::size_t runs = 0;
};

void add_finished(const fs::path& run_dir, const DataFacts& data, Measured& sum) {
  const RunFolder folder(run_dir);
  if (!folder.done()) return;
  try {
    const RunStatus status = folder.status();
    const Spec spec = load_run_spec(folder.file("config.toml"));
    const RunOrigin origin = read_origin(folder);
    if (status.wall_seconds <= 0 || origin.threads == 0 || !origin.same_threads) return;
    sum.flops += run_flops(spec, train_flops_per_token(spec, data), data, 0);
    sum.thread_seconds += status.wall_seconds * speedup(spec, origin.threads);
    ++sum.runs;
  } catch (const std::exception&) {
    // A damaged folder says nothing of speed; what is wrong with it is told elsewhere.
  }
}

// Seconds of a thread for a FLOP of finished runs of an arm, whatever they were set to; 0 without
// any.
double thread_seconds_per_flop(const Plan& plan, const std::string& base) {
  Measured sum;
  for (const fs::path& arm : folders_in(plan.results)) {
    if (!of_arm(arm, base)) continue;
    for (const fs::path& run : folders_in(arm))
      if (sum.runs < kEnoughRuns) add_finished(run, plan.data, sum);
  }
  return sum.flops > 0 ? sum.thread_seconds / sum.flops : 0;
}

// Seconds a FLOP of an arm: of its finished runs, or of a step, measured once for each size.
class Speed {
 public:
  Speed(const Plan& plan, const StepMeasure& measure, std::size_t threads)
      : plan_(plan), measure_(measure), threads_(threads) {}

  double seconds_per_flop(const PlannedArm& arm, const Spec& spec) {
    const auto [finished, fresh] = finished_.try_emplace(arm.base, 0);
    if (fresh) {
      finished->second = thread_seconds_per_flop(plan_, arm.base);
      if (finished->second > 0)
        sources_.push_back("finished runs of " + arm.base);
      else
        measured_arms_ += (measured_arms_.empty() ? "" : ", ") + arm.base;
    }
    if (finished->second > 0) return finished->second / speedup(spec, threads_);
    const double step_flops = arm.flops_per_token * static_cast<double>(arm.tokens_per_step);
    // The mean step depends on how much of the run quantisation fades in.
    const auto [measured, unknown] = measured_.try_emplace(
        {arm.base, step_flops, fading_share(spec, static_cast<std::size_t>(plan_.data.vocab_size))},
        0);
    if (unknown) measured->second = measure_(spec, plan_.data, threads_) / step_flops;
    return measured->second;
  }

  std::vector<std::string> sources() const {
    std::vector<std::string> all = sources_;
    if (!measured_arms_.empty()) all.push_back("kernels timed at the sizes of " + measured_arms_);
    return all;
  }

 private:
  const Plan& plan_;
  const StepMeasure& measure_;
  std::size_t threads_;
  std::map<std::string, double> finished_;                              // 0: there are none
  std::map<std::tuple<std::string, double, double>, double> measured_;  // by arm and step
  std::vector<std::string> sources_;
  std::string measured_arms_;
};

// Tokens that a teacher is asked about, which is taken to be as large as the model.
double tokens_asked_for(const Spec& spec, const DataFacts& data, double trained) {
  const ClassificationConfig* task = distilled(spec.task);
  if (task == nullptr) return 0;
  if (task->learns_states()) return trained;
  const double all_texts = static_cast<double>(data.train_tokens) * sequence_tokens(spec, data);
  return std::min(trained, all_texts);  // logits are kept
}

}  // namespace

double run_flops(const Spec& spec,
                 double flops_per_token,
                 const DataFacts& data,
                 std::int64_t first_step) {
  const TrainConfig& train = spec.train;
  const EvalConfig& eval = spec.eval;
  const auto steps = static_cast<double>(train.steps - std::min(first_step, train.steps));
  const auto batch = static_cast<double>(train.batch_size) * sequence_tokens(spec, data);
  const double trained = steps * batch * static_cast<double>(train.accumulate);
  const double judged_at_once =
      (eval.protocol == "full"
           ? static_cast<double>(data.val_tokens) * std::max(1.0, data.lengths.mean)
           : static_cast<double>(eval.batches) * batch) +
      static_cast<double>(eval.train_batches) * batch;
  const double evaluations = steps / static_cast<double>(eval.every) + 1;
  const double forward = evaluations * judged_at_once + tokens_asked_for(spec, data, trained);
  return flops_per_token * (trained + forward / 3);
}

TimeEstimate estimate_time(const Experiment& experiment,
                           const Plan& plan,
                           const std::vector<Outlook>& outlooks,
                           const CoreShare& share,
                           const StepMeasure& measure) {
  TimeEstimate estimate;
  Speed speed(plan, measure, share.threads);
  for (const Outlook& o : outlooks) {
    estimate.seconds.push_back(0);
    if (!o.to_run()) continue;
    const PlannedArm& arm = plan.arms[o.run.arm];
    const Spec& spec = experiment.arms[o.run.arm].spec;
    estimate.seconds.back() =
        speed.seconds_per_flop(arm, spec) * run_flops(spec, arm.flops_per_token, plan.data, o.step);
  }
  estimate.sources = speed.sources();
  estimate.total =
      seconds_until_all_end(estimate.seconds, runs_before(plan, outlooks), share.slots);
  return estimate;
}

}  // namespace bitlab
