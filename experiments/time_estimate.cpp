#include "experiments/time_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <queue>

#include "core/tensor/blas.h"
#include "experiments/planning.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

constexpr double kShareOfSgemm = 0.85;   // what training steps reach (README, Speed)
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

struct Measured {
  double seconds = 0, flops = 0;
  std::size_t runs = 0;
};

void add_finished(const fs::path& run_dir, const DataFacts& data, Measured& sum) {
  const RunFolder folder(run_dir);
  if (!folder.done()) return;
  try {
    const RunStatus status = folder.status();
    const Spec spec = load_run_spec(folder.file("config.toml"));
    if (status.wall_seconds <= 0) return;
    sum.flops += run_flops(spec, train_flops_per_token(spec, data.vocab_size), data, 0);
    sum.seconds += status.wall_seconds;
    ++sum.runs;
  } catch (const std::exception&) {
    // A damaged folder says nothing of speed; what is wrong with it is told elsewhere.
  }
}

// Seconds a FLOP of finished runs of an arm, whatever they were set to; 0 without any.
double seconds_per_flop(const Plan& plan, const std::string& base) {
  Measured sum;
  for (const fs::path& arm : folders_in(plan.results)) {
    if (!of_arm(arm, base)) continue;
    for (const fs::path& run : folders_in(arm))
      if (sum.runs < kEnoughRuns) add_finished(run, plan.data, sum);
  }
  return sum.flops > 0 ? sum.seconds / sum.flops : 0;
}

// When the last of them ends, each started as soon as one of the slots is free.
double time_until_all_end(const std::vector<double>& seconds, std::size_t slots) {
  std::priority_queue<double, std::vector<double>, std::greater<>> busy_until;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, slots); ++i) busy_until.push(0);
  double last = 0;
  for (const double s : seconds) {
    const double end = busy_until.top() + s;
    busy_until.pop();
    busy_until.push(end);
    last = std::max(last, end);
  }
  return last;
}

}  // namespace

double run_flops(const Spec& spec,
                 double flops_per_token,
                 const DataFacts& data,
                 std::int64_t first_step) {
  const TrainConfig& train = spec.train;
  const EvalConfig& eval = spec.eval;
  const auto steps = static_cast<double>(train.steps - std::min(first_step, train.steps));
  const auto batch = static_cast<double>(train.batch_size) * static_cast<double>(spec.seq_len());
  const double trained = steps * batch * static_cast<double>(train.accumulate);
  const double judged_at_once =
      (eval.protocol == "full" ? static_cast<double>(data.val_tokens)
                               : static_cast<double>(eval.batches) * batch) +
      static_cast<double>(eval.train_batches) * batch;
  const double evaluations = steps / static_cast<double>(eval.every) + 1;
  return flops_per_token * (trained + evaluations * judged_at_once / 3);
}

TimeEstimate estimate_time(const Experiment& experiment,
                           const Plan& plan,
                           const std::vector<Outlook>& outlooks,
                           std::size_t slots,
                           double (*measure)()) {
  TimeEstimate estimate;
  std::map<std::string, double> known;  // seconds a FLOP, by arm of the file
  double measured = 0;
  std::vector<double> to_run;
  for (const Outlook& o : outlooks) {
    estimate.seconds.push_back(0);
    if (!o.to_run()) continue;
    const PlannedArm& arm = plan.arms[o.run.arm];
    const auto [rate, fresh] = known.try_emplace(arm.base, 0);
    if (fresh) {
      rate->second = seconds_per_flop(plan, arm.base);
      if (rate->second > 0) {
        estimate.sources.push_back("finished runs of " + arm.base);
      } else {
        if (measured == 0) {
          measured = kShareOfSgemm * measure();
          estimate.sources.push_back(fmt::format(
              "FLOPs at {:.0f} GFLOP/s, {:.0f} % of a short sgemm", measured, 100 * kShareOfSgemm));
        }
        rate->second = 1e-9 / measured;
      }
    }
    estimate.seconds.back() = rate->second * run_flops(experiment.arms[o.run.arm].spec,
                                                       arm.flops_per_token, plan.data, o.step);
    to_run.push_back(estimate.seconds.back());
  }
  estimate.total = time_until_all_end(to_run, slots);
  return estimate;
}

double short_sgemm_gflops() { return measure_sgemm_gflops(512, 0.1); }

}  // namespace bitlab
