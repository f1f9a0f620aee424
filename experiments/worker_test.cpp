// A run as a process: killed at any moment, it ends with the bytes of an undisturbed one.
#include "experiments/worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <thread>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/base/rng.h"
#include "core/io/metrics.h"
#include "core/io/test_folder.h"
#include "experiments/checkpoint.h"
#include "experiments/run_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// A model of a few thousand weights on the generated plays: a run takes a fraction of a second.
std::string small_config() {
  return R"(
[data]
sources = ["synthetic-plays"]
[model]
n_layer = 1
n_head = 2
d_model = 16
seq_len = 16
proj_bias = false
ffn_bias = false
linear = "bitlinear"
bitlinear.preset = "babybitnet-seed"
[optim]
lr = 3e-3
clip = 1.0
[schedule]
name = "cosine"
[train]
steps = 600
batch_size = 8
shards = 2
log_every = 7
checkpoint_every = 5
[eval]
every = 100
protocol = "random"
batches = 4
train_batches = 2
)";
}

fs::path make_run(const TestFolder& folder, const std::string& name, const std::string& config) {
  const fs::path dir = folder.path() / name;
  write_file_atomic(dir / "config.toml", config);
  return dir;
}

// The worker in a process of its own, silent. Returns its pid.
pid_t start_worker(const fs::path& dir, std::size_t threads) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  static std::atomic<int> stop{0};
  struct sigaction action {};
  action.sa_handler = [](int signal) { stop = signal; };
  ::sigaction(SIGTERM, &action, nullptr);
  if (!std::freopen("/dev/null", "w", stdout)) ::_exit(99);
  int code = 98;
  try {
    code = run_worker({dir, "test", "bit", 5, threads}, stop);
  } catch (...) {
  }
  ::_exit(code);
}

int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string final_weights(const fs::path& dir) {
  const auto checkpoints = list_checkpoints(dir);
  REQUIRE_FALSE(checkpoints.empty());
  return read_file(checkpoints.back() / "model.safetensors");
}

// Every number of the metrics but the clock's.
std::string metrics_text(const fs::path& dir) {
  const RunMetrics m = read_metrics(dir / "metrics.h5");
  std::string text;
  char line[256];
  for (const TrainRow& r : m.train) {
    std::snprintf(line, sizeof line, "train %lld %lld %a %a %a\n", static_cast<long long>(r.step),
                  static_cast<long long>(r.tokens), r.loss, r.lr, r.grad_norm);
    text += line;
  }
  for (const EvalRow& r : m.eval) {
    std::snprintf(line, sizeof line, "eval %lld %s %a %a\n", static_cast<long long>(r.step),
                  r.split.c_str(), r.loss, r.standard_error);
    text += line;
  }
  for (const QuantRow& r : m.quant) {
    std::snprintf(line, sizeof line, "quant %lld %s %a %a %a %a\n", static_cast<long long>(r.step),
                  r.layer.c_str(), r.minus, r.plus, r.flips, r.scale);
    text += line;
  }
  return text;
}

}  // namespace

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
