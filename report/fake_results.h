#pragma once
// Results with numbers that a test chooses: in a folder as runs would leave it, or in memory. Tests
// only.
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/io/metrics.h"
#include "core/io/test_folder.h"
#include "report/results.h"

namespace bitlab {

// A run that is done, in memory; training loss `train` at the end.
SeedResult done_run(std::int64_t seed, double last, double best, double train = 1.5);

// A run that is not.
SeedResult other_run(std::int64_t seed,
                     SeedState state,
                     const std::string& reason = "",
                     std::int64_t step = 0);

// Arms `full` and `bit`, with the final losses of their seeds 1, 2 ...
Results two_arms(const std::vector<double>& full, const std::vector<double>& bit);

// What `action` says when it throws; empty if it does not.
template <class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

// A folder, gone after the test. Its plan has no arms at first; `full` is the baseline.
class FakeResults {
 public:
  FakeResults();
  ~FakeResults();

  std::filesystem::path path() const { return folder_.path(); }
  std::filesystem::path run(const std::string& arm, std::int64_t seed) const;

  // Replaces keys of plan.json by those of a JSON object.
  void change_plan(const std::string& json);

  // Plans an arm; its runs do not start yet.
  void add_arm(const std::string& name,
               const std::vector<std::int64_t>& seeds,
               std::int64_t params = 1000,
               std::int64_t ternary_params = 0);

  // The status of a finished run, with keys replaced by those of a JSON object.
  void set_status(const std::string& arm, std::int64_t seed, const std::string& json = "{}");

  void write_metrics(const std::string& arm,
                     std::int64_t seed,
                     const std::vector<EvalRow>& eval,
                     const std::vector<TrainRow>& train = {});

  // A finished run: validation loss 4 at step 0, `best` at step 500, `last` at step 1000; training
  // loss `train`.
  void finish(
      const std::string& arm, std::int64_t seed, double last, double best, double train = 1.5);

 private:
  struct Plan;
  TestFolder folder_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace bitlab
