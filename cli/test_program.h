#pragma once
// The built program, started as a person would start it, in folders of its own. Tests only.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/io/metrics.h"
#include "core/io/test_folder.h"
#include "experiments/checkpoint.h"
#include "experiments/run_folder.h"

namespace bitlab {

// Two arms of a few thousand weights on the generated plays. A run takes a fraction of a second.
inline std::string small_experiment(int seeds, int steps, int checkpoint_every) {
  std::string list;
  for (int seed = 1; seed <= seeds; ++seed) list += (seed > 1 ? ", " : "") + std::to_string(seed);
  return "seeds = [" + list + "]\n" + R"(
[data]
sources = ["synthetic-plays"]
[model]
n_layer = 1
n_head = 2
d_model = 16
seq_len = 16
proj_bias = false
ffn_bias = false
[optim]
lr = 3e-3
clip = 1.0
[schedule]
name = "cosine"
[eval]
every = 100
protocol = "random"
batches = 4
train_batches = 2
[arms.full]
[arms.bit]
model.linear = "bitlinear"
model.bitlinear.preset = "babybitnet-seed"
[train]
batch_size = 8
shards = 2
log_every = 1
)" +
         "steps = " + std::to_string(steps) +
         "\ncheckpoint_every = " + std::to_string(checkpoint_every) + "\n";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Program {
 public:
  // Results go to root/NAME; the generated text is made once, in `cache` (default: root/cache).
  Program(const std::filesystem::path& root,
          const std::string& name,
          const std::filesystem::path& cache = {})
      : results_(root / name), cache_(cache.empty() ? root / "cache" : cache) {}

  const std::filesystem::path& cache() const { return cache_; }
  const std::filesystem::path& results() const { return results_; }
  std::string output() const { return read_file(results_.string() + ".out"); }  // of the last start

  // `prepare` is called in the new process before it becomes the program.
  pid_t start(const std::vector<std::string>& args,
              const std::function<void()>& prepare = nullptr) const {
    const char* program = std::getenv("BITLAB_PROGRAM");
    REQUIRE(program != nullptr);
    const std::string out = results_.string() + ".out";
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    // Presets and experiments are found wherever the tests are started.
    if (const char* source = std::getenv("BITLAB_SOURCE_DIR")) ::setenv("BITLAB_HOME", source, 1);
    ::setenv("BITLAB_RESULTS", results_.c_str(), 1);
    ::setenv("BITLAB_CACHE", cache_.c_str(), 1);
    const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    if (prepare) prepare();
    std::vector<char*> argv = {const_cast<char*>("bitlab")};
    for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    ::execv(program, argv.data());
    ::_exit(127);
  }

  static int wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  int run(const std::vector<std::string>& args,
          const std::function<void()>& prepare = nullptr) const {
    return wait(start(args, prepare));
  }

  // All run folders, in order.
  std::vector<std::filesystem::path> runs(const std::string& experiment) const {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& arm : std::filesystem::directory_iterator(results_ / experiment, none))
      for (const auto& run : std::filesystem::directory_iterator(arm.path(), none))
        if (run.path().filename().string().starts_with("seed-")) found.push_back(run.path());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::filesystem::path results_, cache_;
};

// What must not differ between two ways to the same result: final weights and every loss.
inline std::string result_of(const std::filesystem::path& run) {
  const auto checkpoints = list_checkpoints(run);
  REQUIRE_FALSE(checkpoints.empty());
  std::string bytes =
      read_file(checkpoints.back() / "model.safetensors") + read_file(run / "packed.safetensors");
  const RunMetrics metrics = read_metrics(run / "metrics.h5");
  const auto add = [&](std::int64_t step, double loss) {
    char line[64];
    bytes.append(line, static_cast<std::size_t>(std::snprintf(line, sizeof line, "%lld %a\n",
                                                              static_cast<long long>(step), loss)));
  };
  for (const TrainRow& row : metrics.train) add(row.step, row.loss);
  for (const EvalRow& row : metrics.eval) add(row.step, row.loss);
  return bytes;
}

inline std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

// Every run of `disturbed` is done and ended as its twin in `calm` did.
inline void check_same_results(const Program& disturbed,
                               const Program& calm,
                               const std::string& experiment) {
  const auto runs = disturbed.runs(experiment), twins = calm.runs(experiment);
  REQUIRE(runs.size() == twins.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    INFO(runs[i].string());
    CHECK(runs[i].filename() == twins[i].filename());
    CHECK(runs[i].parent_path().filename() == twins[i].parent_path().filename());
    CHECK(RunFolder(runs[i]).done());
    CHECK(names_in(runs[i]) == names_in(twins[i]));  // no half-written file is left
    CHECK(RunFolder(runs[i]).status().state == RunState::Done);
    CHECK((result_of(runs[i]) == result_of(twins[i])));  // parentheses: not printed
  }
}

}  // namespace bitlab
