#pragma once
// What an experiment left on disk (docs/run-folder.md), read back: the plan's facts, and every
// planned run with its state. Runs that failed, stopped or never started are here too; nothing is
// dropped.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/io/metrics.h"

namespace bitlab {

// How one planned run stands. Unreadable: its files are damaged, and `reason` says which.
enum class SeedState { Queued, Running, Done, Failed, Interrupted, Unreadable };

std::string to_string(SeedState state);  // "queued", "running" ...

// One run: one seed of one arm.
struct SeedResult {
  std::int64_t seed = 0;
  SeedState state = SeedState::Queued;
  std::string reason;           // why it is not done, if anybody knows
  std::int64_t step = 0;        // the last step that is known of
  std::int64_t steps = 0;       // to do
  double tokens_per_s = 0;      // 0 if not measured
  double wall_seconds = 0;      // in workers, all attempts
  std::int64_t bytes_full = 0;  // of the final model, 0 if there is none
  std::int64_t bytes_packed = 0;
  std::vector<TrainRow> train;  // in the order of their steps
  std::vector<EvalRow> eval;

  bool done() const { return state == SeedState::Done; }
};

// Losses of a run in nats a token; empty where nothing was measured.
std::optional<double> final_val_loss(const SeedResult& run);  // at the last evaluation
std::optional<double> best_val_loss(const SeedResult& run);   // the lowest of all evaluations
// At the last evaluation of the training split; without any, the mean over the logged steps of the
// last tenth of the run (then with dropout, and of weights that still changed).
std::optional<double> final_train_loss(const SeedResult& run);

struct ArmResult {
  std::string name;
  std::int64_t params = 0, ternary_params = 0;
  std::vector<SeedResult> runs;  // in the order of the plan

  std::size_t done() const;  // how many
};

// A loss to hold the curves against, such as that of n-gram counts on the same split.
struct ReferenceLine {
  std::string name;
  double loss = 0;
};

struct DataUsed {
  std::string source, sha256;
  std::string unit = "token";  // of what losses are per
  std::int64_t train_tokens = 0, val_tokens = 0, vocab_size = 0;
};

struct Results {
  std::filesystem::path folder;
  std::string experiment, title, question, command;
  DataUsed data;
  std::vector<ReferenceLine> references;
  std::int64_t steps = 0, tokens_per_step = 0;
  std::string baseline;  // name of the arm that the others are compared with
  std::vector<ArmResult> arms;
};

// Reads `folder` (results/NAME). Throws UsageError if it holds no plan.json, Error if that is
// damaged. Damage in a run is a state of the run, not an error.
Results load_results(const std::filesystem::path& folder);

}  // namespace bitlab
