#include "experiments/bench_load.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/process_memory.h"
#include "core/base/temporary_folder.h"
#include "experiments/checkpoint.h"
#include "experiments/export_run.h"
#include "experiments/loaded_run.h"
#include "experiments/packed_model.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct Taken {
  std::size_t bytes = 0;
  double seconds = 0;
  bool can_pack = false;  // the model is ternary, and quantisation has faded in
};

Taken load(const fs::path& run_dir, LoadWeights weights) {
  give_back_free_memory();  // what this process used before must not count for less
  const std::size_t before = resident_bytes();
  const Clock::time_point begin = Clock::now();
  const LoadedRun run = load_run(run_dir, weights, Tables::AsStored);
  const double seconds = seconds_since(begin);
  const bool faded_in = static_cast<std::uint64_t>(run.step) >= run.model->settled_at();
  return {resident_bytes() - before, seconds, faded_in && run.model->params().ternary_size() > 0};
}

// What a child says of itself through a pipe; false if it threw. This process loads nothing before,
// so that the child has no memory that was used and freed.
template <class Do>
bool in_child(const Do& act, Taken& taken) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error("pipe", std::strerror(errno));
  const pid_t child = ::fork();
  if (child < 0) throw Error("fork", std::strerror(errno));
  if (child == 0) {
    bool told = false;
    try {
      const Taken mine = act();
      told = ::write(ends[1], &mine, sizeof mine) == sizeof mine;
    } catch (const std::exception&) {  // comes again where it can be told
    }
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  const bool heard = ::read(ends[0], &taken, sizeof taken) == sizeof taken;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return heard;
}

LoadBench bench(const std::string& name,
                const fs::path& run_dir,
                LoadWeights weights,
                bool* can_pack = nullptr) {
  constexpr int kTimes = 3;
  Taken least;
  for (int i = 0; i < kTimes; ++i) {
    Taken taken;
    if (!in_child([&] { return load(run_dir, weights); }, taken)) {
      load_run(run_dir, weights);
      throw Error(run_dir.string(), "could not be loaded in a process of its own");
    }
    if (i == 0) least = taken;
    least.seconds = std::min(least.seconds, taken.seconds);
    least.bytes = std::min(least.bytes, taken.bytes);
  }
  if (can_pack != nullptr) *can_pack = least.can_pack;
  const fs::path file = weights == LoadWeights::Packed
                            ? run_dir / "packed.safetensors"
                            : list_checkpoints(run_dir).back() / "model.safetensors";
  return {name, fs::file_size(file), least.bytes, least.seconds};
}

// The run in a form that it is not stored in.
LoadBench bench_exported(const std::string& name, const fs::path& run_dir, ExportWeights weights) {
  const TemporaryFolder temporary("bitlab-load");
  const fs::path exported = temporary.path() / "run";
  Taken none;
  const auto write = [&] {
    export_run(run_dir, exported, weights);
    return Taken();
  };
  if (!in_child(write, none)) write();
  return bench(name, exported, LoadWeights::Checkpoint);
}

bool any(const SafetensorsFile& file, DType dtype) {
  const auto& all = file.tensors();
  return std::any_of(all.begin(), all.end(),
                     [dtype](const TensorBytes& t) { return t.dtype == dtype; });
}

}  // namespace

std::vector<LoadBench> bench_load(const fs::path& run_dir) {
  const auto checkpoints = list_checkpoints(run_dir);
  if (checkpoints.empty()) load_run(run_dir);  // says what is missing
  const SafetensorsFile stored(checkpoints.back() / "model.safetensors");
  const bool half = any(stored, DType::F16);
  if (is_packed(stored))
    return {bench(half ? "packed-f16" : "packed", run_dir, LoadWeights::Checkpoint)};
  const bool full = !half && !any(stored, DType::BF16);
  const std::string name = full ? "f32" : (half ? "f16" : "bf16");
  bool can_pack = false;
  std::vector<LoadBench> all = {bench(name, run_dir, LoadWeights::Checkpoint, &can_pack)};
  const bool done = RunFolder(run_dir).done();
  if (full && done) all.push_back(bench_exported("f16", run_dir, ExportWeights::F16));
  if (!can_pack) return all;
  if (fs::exists(run_dir / "packed.safetensors"))
    all.push_back(bench("packed", run_dir, LoadWeights::Packed));
  else if (full && done)
    all.push_back(bench_exported("packed", run_dir, ExportWeights::Packed));
  if (full && done) all.push_back(bench_exported("packed-f16", run_dir, ExportWeights::PackedF16));
  return all;
}

std::string load_bench_json(const std::vector<LoadBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const LoadBench& r : results)
    rows.push_back({{"weights", r.weights},
                    {"file_bytes", r.file_bytes},
                    {"resident_bytes", r.resident_bytes},
                    {"seconds", r.seconds}});
  return nlohmann::ordered_json{{"format", 1}, {"loaded", rows}}.dump(2) + "\n";
}

}  // namespace bitlab
