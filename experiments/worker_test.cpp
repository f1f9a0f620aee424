// A run as a process: killed at any moment, it ends with the bytes of an undisturbed one.
#include <chrono>
#include <cmath>
#include <thread>

#include "core/base/rng.h"
#include "experiments/language_task.h"
#include "experiments/run_folder.h"
#include "experiments/test_runs.h"
#include "experiments/train_observer.h"

using namespace bitlab;
namespace fs = std::filesystem;

TEST_CASE("a run killed at random moments ends with the bytes of an undisturbed run",
          "[worker][resume]") {
  const TestFolder folder;
  const fs::path calm = make_run(folder, "calm", small_config());
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(wait_for(start_worker(calm, 1)) == 0);
  const std::chrono::duration<double> whole_run = std::chrono::steady_clock::now() - begin;
  REQUIRE(RunFolder(calm).done());

  const fs::path disturbed = make_run(folder, "disturbed", small_config());
  const Rng rng(static_cast<std::uint64_t>(::getpid()), "kills");
  int kills = 0, attempts = 0, resumes = 0;
  for (; !RunFolder(disturbed).done() && attempts < 500; ++attempts) {
    resumes += !list_checkpoints(disturbed).empty();
    const pid_t pid = start_worker(disturbed, 1 + static_cast<std::size_t>(attempts) % 2);
    // Below a third of a run, so it takes several attempts; most of them make progress.
    const double share = 0.05 + 0.28 * rng.uniform(0, static_cast<std::uint64_t>(attempts));
    const auto patience = share * whole_run;
    if (attempts < 60) {
      std::this_thread::sleep_for(patience);
      ::kill(pid, SIGKILL);
    }
    kills += wait_for(pid) == 128 + SIGKILL;
  }
  INFO(kills << " kills in " << attempts << " attempts");
  CHECK(kills >= 1);
  CHECK(resumes >= 1);
  REQUIRE(RunFolder(disturbed).done());
  CHECK(final_weights(disturbed) == final_weights(calm));
  CHECK(read_file(disturbed / "packed.safetensors") == read_file(calm / "packed.safetensors"));
  CHECK(metrics_text(disturbed) == metrics_text(calm));
  CHECK(RunFolder(disturbed).status().state == RunState::Done);
}

TEST_CASE("a run that is asked to stop saves its state, says so, and goes on later",
          "[worker][resume]") {
  const TestFolder folder;
  const fs::path calm = make_run(folder, "calm", small_config());
  REQUIRE(wait_for(start_worker(calm, 2)) == 0);

  const fs::path stopped = make_run(folder, "stopped", small_config());
  const pid_t pid = start_worker(stopped, 1);
  while (list_checkpoints(stopped).empty())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ::kill(pid, SIGTERM);
  const int code = wait_for(pid);
  if (code != 0) {  // it may have been too fast for us
    CHECK(code == 128 + SIGTERM);
    const RunStatus status = RunFolder(stopped).status();
    CHECK(status.state == RunState::Interrupted);
    CHECK(status.step > 0);
    REQUIRE(wait_for(start_worker(stopped, 1)) == 0);
  }
  CHECK(final_weights(stopped) == final_weights(calm));
}

namespace {

// What a worker started next does to itself in the middle of an evaluation, or after a checkpoint.
struct SignalToSelf {
  int signal = 0;
  int evaluation = 0;  // counted from 1, in one process
  bool after_checkpoint = false;
} to_self;

class SignallingObserver : public TrainObserver {
  void on_checkpoint(std::int64_t, const fs::path&) override {
    if (to_self.after_checkpoint) ::raise(to_self.signal);
  }
};

// The language task; every split counts as an evaluation.
class SignallingTask : public Task {
 public:
  SignallingTask(const TaskContext& context, const EvalConfig& eval)
      : inner_(context.data, eval, context.seq_len, context.batch_size, context.seed) {}
  BatchSource train_batches() const override { return inner_.train_batches(); }
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const override {
    if (++evaluations_ == to_self.evaluation) ::raise(to_self.signal);
    return inner_.evaluate(model, split, team);
  }

 private:
  LanguageTask inner_;
  mutable int evaluations_ = 0;
};

int run_signalling(const fs::path& dir, SignalToSelf what) {
  static const bool registered = [] {
    tasks().add("signalling",
                {1, "for a test", no_settings,
                 [](const TaskContext& context, const EvalConfig& eval, const Configurable&) {
                   return std::make_unique<SignallingTask>(context, eval);
                 }});
    observers().add("signalling",
                    {1, "for a test", no_settings, [](const ObserverContext&, const Configurable&) {
                       return std::make_unique<SignallingObserver>();
                     }});
    return true;
  }();
  static_cast<void>(registered);
  to_self = what;
  return wait_for(start_worker(dir, 2));
}

// 300 steps that are judged at 0, 100, 200 and 300, each time on two splits; no checkpoints but of
// a stop and the end.
std::string rarely_saved() {
  std::string config = small_config();
  const auto set = [&](const std::string& from, const std::string& to) {
    config.replace(config.find(from), from.size(), to);
  };
  set("steps = 600", "steps = 300");
  set("checkpoint_every = 5", "checkpoint_every = 1000");
  return "observers = [\"signalling\"]\n[task]\nname = \"signalling\"\n" + config;
}

}  // namespace

TEST_CASE("an evaluation is given up for a stop, and done first when the run goes on",
          "[worker][resume]") {
  const TestFolder folder;
  const fs::path calm = make_run(folder, "calm", rarely_saved());
  REQUIRE(run_signalling(calm, {}) == 0);
  const auto same_as_calm = [&](const fs::path& dir) {
    REQUIRE(run_signalling(dir, {}) == 0);
    CHECK(final_weights(dir) == final_weights(calm));
    const fs::path last = "ckpt/step_00000300";
    CHECK(read_file(dir / last / "optimizer.safetensors") ==
          read_file(calm / last / "optimizer.safetensors"));
    CHECK(metrics_text(dir) == metrics_text(calm));
  };
  struct Case {
    const char* name;
    int evaluation;
    std::int64_t step;
  };
  for (const Case& c : {Case{"before the first step", 2, 0}, Case{"in the first split", 3, 100},
                        Case{"in the second split", 6, 200}, Case{"after the last step", 7, 300}}) {
    CAPTURE(c.name);
    const fs::path dir = make_run(folder, c.name, rarely_saved());
    CHECK(run_signalling(dir, {SIGTERM, c.evaluation}) == 128 + SIGTERM);
    const RunStatus status = RunFolder(dir).status();
    CHECK(status.state == RunState::Interrupted);
    CHECK(status.step == c.step);
    for (const EvalRow& row : read_metrics(dir / "metrics.h5").eval) CHECK(row.step < c.step);
    same_as_calm(dir);
  }
  // Killed after the evaluation that was owed, with nothing saved since: done a third time.
  const fs::path killed = make_run(folder, "killed", rarely_saved());
  CHECK(run_signalling(killed, {SIGTERM, 3}) == 128 + SIGTERM);
  CHECK(run_signalling(killed, {SIGKILL, 3}) == 128 + SIGKILL);
  CHECK(read_metrics(killed / "metrics.h5").eval.back().step == 100);
  same_as_calm(killed);
  // Killed when the last one, which was owed, is saved: not done again, and nothing of it is lost.
  const fs::path last = make_run(folder, "last", rarely_saved());
  CHECK(run_signalling(last, {SIGTERM, 7}) == 128 + SIGTERM);
  CHECK(run_signalling(last, {SIGKILL, 0, true}) == 128 + SIGKILL);
  same_as_calm(last);
}

TEST_CASE("a loss that explodes ends the run as diverged, with its metrics kept", "[worker]") {
  const TestFolder folder;
  std::string config = small_config();
  config.replace(config.find("lr = 3e-3"), 9, "lr = 1e+9");
  const fs::path dir = make_run(folder, "wild", config);
  CHECK(wait_for(start_worker(dir, 1)) == 1);
  const RunStatus status = RunFolder(dir).status();
  CHECK(status.state == RunState::Failed);
  CHECK(status.reason.rfind("diverged at step ", 0) == 0);
  CHECK_FALSE(RunFolder(dir).done());
  CHECK_FALSE(read_metrics(dir / "metrics.h5").eval.empty());
}

TEST_CASE("a worker whose settings are wrong fails with the reason in its status", "[worker]") {
  const TestFolder folder;
  const fs::path dir = make_run(folder, "wrong", "[data]\nsources = [\"no-such-source\"]\n");
  CHECK(wait_for(start_worker(dir, 1)) == 1);
  const RunStatus status = RunFolder(dir).status();
  CHECK(status.state == RunState::Failed);
  CHECK(status.reason.find("no-such-source") != std::string::npos);
}

TEST_CASE("a second worker does not touch the run of a living one", "[worker]") {
  const TestFolder folder;
  const fs::path dir = make_run(folder, "shared", small_config());
  const auto lock = RunLock::try_take(dir);
  REQUIRE(lock);
  CHECK(RunLock::held(dir));
  CHECK(wait_for(start_worker(dir, 1)) == 98);
  CHECK_FALSE(fs::exists(dir / "status.json"));
}
