#include "experiments/worker.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/temporaries.h"
#include "core/io/losses.h"
#include "experiments/classification_task.h"
#include "experiments/dataset.h"
#include "experiments/packed_model.h"
#include "experiments/pretrained.h"
#include "experiments/provenance.h"
#include "experiments/run_folder.h"
#include "experiments/trainer.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// metrics.h5: on disk with every checkpoint, and for readers as often as a twentieth of the time
// allows, which is every row unless there are hundreds a second.
class MetricsObserver : public TrainObserver {
 public:
  explicit MetricsObserver(MetricsWriter& writer) : writer_(writer) {}
  void on_start(std::int64_t, std::int64_t steps) override { steps_ = steps; }
  void on_train(const TrainRow& row, const TrainSpeed&) override {
    writer_.append(row);
    flush();
  }
  void on_eval(const EvalRow& row) override {
    writer_.append(row);
    flush();
  }
  void on_scores(const ScoreRow& row, const std::vector<PredictionRow>& predictions) override {
    writer_.append(row);
    if (row.step == steps_ && row.split == "val")
      for (const PredictionRow& prediction : predictions) writer_.append(prediction);
    flush();
  }
  void on_quant(const std::vector<QuantRow>& rows) override {
    for (const QuantRow& row : rows) writer_.append(row);
    flush();
  }
  void before_checkpoint(std::int64_t) override { writer_.sync(); }

 private:
  void flush() {
    const Clock::time_point begin = Clock::now();
    if (begin - flushed_ < 20 * cost_) return;
    writer_.flush();
    flushed_ = Clock::now();
    cost_ = flushed_ - begin;
  }

  MetricsWriter& writer_;
  std::int64_t steps_ = 0;
  Clock::time_point flushed_{};
  Clock::duration cost_{};
};

// The log on standard output: one line an event, fixed columns.
class LogObserver : public TrainObserver {
 public:
  void on_start(std::int64_t step, std::int64_t steps) override {
    steps_ = steps;
    if (step > 0) std::printf("resumed at step %lld\n", static_cast<long long>(step));
    std::fflush(stdout);
  }
  void on_train(const TrainRow& row, const TrainSpeed& speed) override {
    std::printf(
        "step %6lld/%lld %5.1f%% | loss %.4f | lr %.2e | gnorm %.3f | %7.0f tok/s | eta %.0fs\n",
        static_cast<long long>(row.step), static_cast<long long>(steps_),
        100.0 * static_cast<double>(row.step) / static_cast<double>(steps_), row.loss, row.lr,
        row.grad_norm, speed.tokens_per_s, speed.eta_seconds);
    std::fflush(stdout);
  }
  void on_eval(const EvalRow& row) override {
    std::printf("step %6lld eval %-5s loss %.4f +- %.4f (%lld tokens)\n",
                static_cast<long long>(row.step), row.split.c_str(), row.loss, row.standard_error,
                static_cast<long long>(row.tokens));
    std::fflush(stdout);
  }
  void on_scores(const ScoreRow& row, const std::vector<PredictionRow>&) override {
    std::printf("step %6lld eval %-5s accuracy %.4f F1 %.4f calibration error %.4f\n",
                static_cast<long long>(row.step), row.split.c_str(), row.accuracy, row.f1,
                row.calibration_error);
    std::fflush(stdout);
  }
  void on_checkpoint(std::int64_t step, const fs::path&) override {
    std::printf("step %6lld checkpoint\n", static_cast<long long>(step));
    std::fflush(stdout);
  }

 private:
  std::int64_t steps_ = 0;
};

// progress.json for whoever watches, a few times a second at most.
class ProgressObserver : public TrainObserver {
 public:
  explicit ProgressObserver(const RunFolder& folder) : folder_(folder) {}
  void on_start(std::int64_t step, std::int64_t steps) override {
    progress_.step = step;
    progress_.steps = steps;
    progress_.loss = progress_.val_loss = std::numeric_limits<double>::quiet_NaN();
    write(true);
  }
  void on_train(const TrainRow& row, const TrainSpeed& speed) override {
    progress_.step = row.step;
    progress_.loss = row.loss;
    progress_.tokens_per_s = speed.tokens_per_s;
    progress_.eta_seconds = speed.eta_seconds;
    write(row.step == progress_.steps);
  }
  void on_eval(const EvalRow& row) override {
    if (row.split == "val") progress_.val_loss = row.loss;
    write(row.step == progress_.steps);
  }

 private:
  void write(bool now) {
    if (!now && seconds_since(written_) < 0.2) return;
    folder_.set_progress(progress_);
    written_ = Clock::now();
  }

  const RunFolder& folder_;
  RunProgress progress_;
  Clock::time_point written_{};
};

// What a checkpoint says of itself, for readers that have no run folder around it.
std::string checkpoint_config(const WorkerOptions& options, const Dataset& data) {
  nlohmann::ordered_json json = {
      {"format", "bitlab checkpoint 1"},
      {"experiment", options.experiment},
      {"arm", options.arm},
      {"seed", options.seed},
      {"vocab_size", data.facts.vocab_size},
      {"data", data.facts.source},
      {"data_sha256", data.facts.sha256},
      {"tokenizer", nlohmann::ordered_json::parse(data.tokenizer->to_json())},
      {"config_toml", read_file(options.run_dir / "config.toml")}};
  if (data.labelled) json["labels"] = data.labelled->labels;
  return json.dump(2) + "\n";
}

// Opens metrics.h5 where training goes on, or anew.
MetricsWriter open_metrics(const RunFolder& folder,
                           const Trainer& trainer,
                           const WorkerOptions& options,
                           const Dataset& data) {
  const fs::path path = folder.file("metrics.h5");
  if (trainer.first_step() > 0)
    return MetricsWriter::resume(path, trainer.first_step(), trainer.first_evaluated());
  std::map<std::string, std::string> attributes = {{"experiment", options.experiment},
                                                   {"arm", options.arm},
                                                   {"seed", std::to_string(options.seed)},
                                                   {"data", data.facts.source},
                                                   {"data_sha256", data.facts.sha256}};
  if (data.labelled)
    attributes["labels"] = fmt::format("{}", fmt::join(data.labelled->labels, ","));
  return MetricsWriter::create(path, attributes);
}

// Writes the packed model, opens everything again, and only then the marker.
void finish(const RunFolder& folder, const LanguageModel& model, RunStatus& status) {
  status.bytes_packed =
      static_cast<std::int64_t>(write_packed(folder.file("packed.safetensors"), model));
  const auto checkpoints = list_checkpoints(folder.dir());
  if (checkpoints.empty())
    throw Error(folder.dir().string(), "a finished run must have a checkpoint, but has none");
  status.bytes_full =
      static_cast<std::int64_t>(fs::file_size(checkpoints.back() / "model.safetensors"));
  const RunMetrics metrics = read_metrics(folder.file("metrics.h5"));
  if (metrics.eval.empty())
    throw Error(folder.file("metrics.h5").string(), "must hold evaluations, but holds none");
  status.val_loss = final_val_loss(metrics.eval);
  status.val_loss_best = best_val_loss(metrics.eval, static_cast<std::int64_t>(model.settled_at()));
  status.train_loss = final_train_loss(metrics.train, metrics.eval);
  for (const ScoreRow& row : metrics.scores) {
    if (row.split != "val") continue;
    status.accuracy = row.accuracy;  // the last one stays
    status.f1 = row.f1;
  }
  status.state = RunState::Done;
}

// Until the runs that this one needs are done, which others train: a teacher, or the weights that
// it begins with. Throws Obstacle if nobody does. One that is queued may be about to start: the
// worker of another command began when this one did, and has not taken its lock yet. Returns early
// if a stop is asked for.
void wait_for_runs(const Spec& spec, const std::atomic<int>& stop) {
  std::vector<std::string> needed = {pretrained_name(spec)};
  if (const ClassificationConfig* task = distilled(spec.task)) needed.push_back(task->teacher);
  for (const std::string& name : needed) {
    if (name.empty() || !fs::exists(fs::path(name) / "status.json")) continue;
    const RunFolder run(name);
    if (!run.done()) std::printf("waiting for %s\n", name.c_str());
    std::fflush(stdout);
    constexpr double kMostToStart = 30;  // seconds; a busy machine takes its time
    Clock::time_point seen = Clock::now();
    while (!run.done() && stop.load() == 0) {
      const bool starting =
          run.status().state == RunState::Queued && seconds_since(seen) < kMostToStart;
      if (RunLock::held(name))
        seen = Clock::now();
      else if (!starting && !run.done())
        throw Obstacle(name, "must be finished first, but is " + to_string(run.status().state),
                       "the same command goes on once it is");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
}

void interrupt(RunStatus& status, const std::atomic<int>& stop) {
  status.state = RunState::Interrupted;
  status.reason = "stopped by signal " + std::to_string(stop.load());
}

// Trains and leaves the result in `status`.
void train(const WorkerOptions& options,
           const RunFolder& folder,
           const std::atomic<int>& stop,
           RunStatus& status) {
  const Spec spec = load_run_spec(folder.file("config.toml"));
  wait_for_runs(spec, stop);
  if (stop.load() != 0) return interrupt(status, stop);
  const Dataset data = open_dataset(spec.data);
  for (const std::string& note : data.notes) std::printf("note: %s\n", note.c_str());
  LanguageModel model =
      build_model(spec, static_cast<std::size_t>(data.facts.vocab_size), options.seed);
  for (const std::string& name : load_pretrained(spec, model))
    std::printf("note: %s is not in %s and begins fresh\n", name.c_str(),
                pretrained_name(spec).c_str());
  const std::unique_ptr<Task> task = make_task(spec, data, options.seed);
  ThreadTeam team(options.threads, &stop);
  TrainObservers observers;
  Trainer trainer({{spec.optim, spec.schedule, spec.train, options.seed},
                   spec.eval,
                   folder.dir(),
                   checkpoint_config(options, data)},
                  model, *task, team, observers);
  begin_provenance(folder, options, data, status, trainer.first_step());
  MetricsWriter metrics = open_metrics(folder, trainer, options, data);
  MetricsObserver to_file(metrics);
  LogObserver to_log;
  ProgressObserver to_watchers(folder);
  observers.add(to_file);
  observers.add(to_log);
  observers.add(to_watchers);
  const auto more =
      spec.make_observers({folder.dir(), options.experiment, options.arm, options.seed,
                           trainer.first_step(), trainer.first_evaluated()});
  for (const auto& observer : more) observers.add(*observer);

  const TrainOutcome outcome = trainer.run(stop);
  metrics.flush();
  status.step = outcome.step;
  status.train_seconds = outcome.train_seconds;
  status.tokens_per_s = outcome.tokens_per_s;
  switch (outcome.end) {
    case TrainOutcome::End::Done:
      finish(folder, model, status);
      break;
    case TrainOutcome::End::Diverged:
      status.state = RunState::Failed;
      status.reason = "diverged at step " + std::to_string(outcome.step);
      break;
    case TrainOutcome::End::Stopped:
      interrupt(status, stop);
      break;
  }
}

// A run that an obstacle ended has not failed: without it, the same command goes on.
void fail(RunStatus& status, const std::exception& why) {
  const bool obstacle = dynamic_cast<const Obstacle*>(&why) != nullptr ||
                        dynamic_cast<const std::system_error*>(&why) != nullptr;
  status.state = obstacle ? RunState::Interrupted : RunState::Failed;
  status.reason = why.what();
}

// What a kill left of files that were being written. Only the holder of the lock writes these, but
// for config.toml, which comes from a scheduler that may be alive.
void remove_leftovers(const fs::path& run_dir) {
  for (const auto& entry : fs::directory_iterator(run_dir)) {
    const std::string name = entry.path().filename().string();
    const bool half =
        name.starts_with("config.toml")
            ? is_abandoned_temporary(entry.path())
            : name.find(".tmp") != std::string::npos || name.find(".queued") != std::string::npos;
    std::error_code ignored;
    if (half) fs::remove(entry.path(), ignored);
  }
}

RunStatus begin(const RunFolder& folder) {
  RunStatus status = folder.status();
  status.state = RunState::Running;
  status.steps = load_run_spec(folder.file("config.toml")).train.steps;
  ++status.attempt;
  status.pid = ::getpid();
  status.host = host_name();
  if (status.started.empty()) status.started = utc_now();
  status.ended.clear();
  status.reason.clear();
  return status;
}

}  // namespace

int run_worker(const WorkerOptions& options, const std::atomic<int>& stop) {
  const Clock::time_point start = Clock::now();
  const RunFolder folder(options.run_dir);
  const std::optional<RunLock> lock = RunLock::try_take(folder.dir());
  if (!lock)
    throw Error(folder.dir().string(),
                "must be run by one worker at a time, but another living one has it");
  if (folder.done()) return 0;  // another scheduler's worker came first
  remove_leftovers(folder.dir());
  RunStatus status = begin(folder);
  folder.set_status(status);
  const double wall_before = status.wall_seconds;
  try {
    train(options, folder, stop, status);
  } catch (const std::exception& e) {
    fail(status, e);
  }
  status.ended = utc_now();
  status.wall_seconds = wall_before + seconds_since(start);
  try {
    end_provenance(folder, status);
  } catch (const std::exception& e) {  // without it a run is not done
    if (status.state == RunState::Done) fail(status, e);
  }
  folder.set_status(status);
  if (status.state == RunState::Done) {
    folder.mark_done();
    return 0;
  }
  std::printf("%s: %s\n", to_string(status.state).c_str(), status.reason.c_str());
  const bool stopped = status.state == RunState::Interrupted && stop.load() != 0;
  return stopped ? 128 + stop.load() : 1;
}

}  // namespace bitlab
