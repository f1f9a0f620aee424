#pragma once
// Small runs in worker processes, for tests.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/io/metrics.h"
#include "core/io/test_folder.h"
#include "experiments/checkpoint.h"
#include "experiments/worker.h"

namespace bitlab {

// A model of a few thousand weights on the generated plays: a run takes a fraction of a second.
inline std::string small_config() {
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

inline std::filesystem::path make_run(const TestFolder& folder,
                                      const std::string& name,
                                      const std::string& config) {
  const std::filesystem::path dir = folder.path() / name;
  write_file_atomic(dir / "config.toml", config);
  return dir;
}

// The worker in a process of its own, silent. Returns its pid.
inline pid_t start_worker(const std::filesystem::path& dir, std::size_t threads) {
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

inline int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline std::string final_weights(const std::filesystem::path& dir) {
  const auto checkpoints = list_checkpoints(dir);
  REQUIRE_FALSE(checkpoints.empty());
  return read_file(checkpoints.back() / "model.safetensors");
}

// Every number of the metrics but the clock's.
inline std::string metrics_text(const std::filesystem::path& dir) {
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

}  // namespace bitlab
