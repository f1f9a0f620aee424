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
// Pruned: ended early by a rule of the sweep.
enum class SeedState { Queued, Running, Done, Failed, Interrupted, Pruned, Unreadable };

std::string to_string(SeedState state);  // "queued", "running" ...

// What a run told last while it was running (progress.json); NaN where it had nothing to tell.
struct LiveFigures {
  double loss = 0, val_loss = 0;  // nats a token, the last ones
  double tokens_per_s = 0, eta_seconds = 0;
};

// What a model takes in one form when it is loaded, as 'bitlab bench load' measured it.
struct LoadedForm {
  std::string weights;  // f32, f16, packed, packed-f16
  std::int64_t file_bytes = 0, resident_bytes = 0;
};

// One run: one seed of one arm.
struct SeedResult {
  std::int64_t seed = 0;
  std::filesystem::path dir = {};  // the run folder; empty for results made in memory
  SeedState state = SeedState::Queued;
  std::string reason;             // why it is not done, if anybody knows
  std::int64_t step = 0;          // the last step that is known of
  std::int64_t steps = 0;         // to do
  std::int64_t settled_step = 0;  // from which on its quantisation has faded in
  double tokens_per_s = 0;        // 0 if not measured
  double wall_seconds = 0;        // in workers, all attempts
  std::int64_t bytes_full = 0;    // of the final model, 0 if there is none
  std::int64_t bytes_packed = 0;
  std::vector<TrainRow> train;  // in the order of their steps
  std::vector<EvalRow> eval;
  std::vector<ScoreRow> scores = {};  // of texts that are classified
  // From status.json, for readers that leave the metrics alone; empty where nothing was measured.
  std::optional<double> val_loss = {}, val_loss_best = {}, train_loss = {};
  std::optional<double> accuracy = {}, f1 = {};  // of texts that are classified
  double train_seconds = 0;                      // in training steps
  std::string started = {}, ended = {};          // UTC, ISO 8601
  std::optional<LiveFigures> live = {};          // of a run that is not done
  std::vector<LoadedForm> loaded = {};           // empty: not measured
  std::string imported = {};  // what a model that was not trained here comes from

  bool done() const { return state == SeedState::Done; }
};

// As core/io/losses.h defines them, in nats a token, from the rows or, where none were read, from
// the status; empty where nothing was measured.
std::optional<double> final_val_loss(const SeedResult& run);
std::optional<double> best_val_loss(const SeedResult& run);
std::optional<double> final_train_loss(const SeedResult& run);

// A setting that a sweep varies, with the value that one arm has.
struct SweptValue {
  std::string path;              // "optim.lr"
  std::string text;              // "0.001", "absmean", "true"
  std::optional<double> number;  // of a number
};

// An arm of the experiment or, in a sweep, an arm at one point of the axes.
struct ArmResult {
  std::string name;  // unique: "babyBitNet", in a sweep "babyBitNet lr=0.001"
  std::int64_t params = 0, ternary_params = 0;
  std::vector<SeedResult> runs;  // in the order of the plan
  std::string base = {};         // the arm of the file, "babyBitNet"
  std::vector<SweptValue> axes = {};
  std::string hash = {}, dir = {};  // dir: BASE-HASH, below the results folder
  std::int64_t steps = 0, tokens_per_step = 0;
  double flops_per_token = 0;             // of training; 0 if unknown
  std::int64_t non_embedding_params = 0;  // outside of embedding and head; 0 if unknown

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
  std::int64_t val_bytes = 0;  // of the text behind the validation split; 0 if not known

  // Whether a loss a token depends on how text is cut into tokens.
  bool in_subwords() const { return unit != "character" && unit != "byte"; }
  // Of a loss of the validation split; empty if its bytes are not known.
  std::optional<double> val_bits_per_byte(std::optional<double> loss) const;
};

struct Results {
  std::filesystem::path folder;
  std::string experiment, title, question, command;
  std::vector<std::string> claims = {};  // "CLAIM | TEST", see report/claims.h
  DataUsed data;
  std::vector<ReferenceLine> references;
  std::int64_t steps = 0, tokens_per_step = 0;
  std::string baseline;  // name of the arm that the others are compared with
  std::vector<ArmResult> arms;
  std::vector<std::vector<std::string>> zipped = {};  // swept settings that move together, by path
};

// What to read of each run. None: the small files alone, so that a thousand runs take a moment;
// metrics.h5 is opened only of runs that are done and whose status, of an older version, has no
// losses. Losses: the rows of /train and /eval too.
enum class Metrics { None, Losses };

// Reads `folder` (results/NAME). Throws UsageError if it holds no plan.json, Error if that is
// damaged. Damage in a run is a state of the run, not an error.
Results load_results(const std::filesystem::path& folder, Metrics metrics = Metrics::Losses);

// One run from its folder. `steps` and `settled_step` are what the plan says. A folder without a
// status is queued.
SeedResult load_run(const std::filesystem::path& dir,
                    std::int64_t seed,
                    std::int64_t steps,
                    std::int64_t settled_step,
                    Metrics metrics);

}  // namespace bitlab
