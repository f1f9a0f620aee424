// bitlab bench load: what trained models take, on disk and in memory.
#include "experiments/bench_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/checkpoint.h"
#include "report/format.h"
#include "report/results.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct NamedRun {
  std::string name;
  fs::path dir;
};

// Of an experiment the first run of each arm that is done; else the run that is named.
std::vector<NamedRun> runs_of(const std::string& word) {
  if (word.find('/') != std::string::npos || !fs::exists(results_root() / word / "plan.json"))
    return {{word, find_run(word)}};
  std::vector<NamedRun> runs;
  for (const ArmResult& arm : load_results(find_results(word), Metrics::None).arms)
    for (const SeedResult& run : arm.runs)
      if (run.done() && !list_checkpoints(run.dir).empty()) {
        runs.push_back({arm.name, run.dir});
        break;
      }
  if (runs.empty())
    throw UsageError("bitlab bench load", "runs of '" + word + "' must be done, but none is");
  return runs;
}

void print(const std::string& run, std::size_t width, const std::vector<LoadBench>& results) {
  const LoadBench& all = results.front();
  const auto times = [](auto more, auto less) {
    return fmt::format("{:.2f}x", static_cast<double>(more) / static_cast<double>(less));
  };
  for (const LoadBench& r : results)
    std::cout << fmt::format("{:<{}} {:<11} {:>10} {:>8} {:>10} {:>8} {:>7.3f} s\n",
                             &r == &all ? run : "", width, r.weights,
                             format_bytes(static_cast<std::int64_t>(r.file_bytes)),
                             times(all.file_bytes, r.file_bytes),
                             format_bytes(static_cast<std::int64_t>(r.resident_bytes)),
                             times(all.resident_bytes, r.resident_bytes), r.seconds);
}

}  // namespace

int bench_load_command(const BenchRequest& request) {
  if (request.words.size() != 1)
    throw UsageError("bitlab bench load", "must be given one run or one experiment",
                     "bitlab bench load RUN|NAME");
  nlohmann::ordered_json told = nlohmann::ordered_json::array();
  const std::vector<NamedRun> runs = runs_of(request.words[0]);
  std::size_t width = 0;
  for (const NamedRun& run : runs) width = std::max(width, run.name.size());
  if (!request.json)
    std::cout << fmt::format("{:<{}} {:<11} {:>10} {:>8} {:>10} {:>8} {:>9}\n", "", width,
                             "weights", "file", "", "resident", "", "loaded in");
  for (const NamedRun& run : runs) {
    const std::vector<LoadBench> results = bench_load(run.dir);
    const std::string json = load_bench_json(results);
    if (!request.json) print(run.name, width, results);
    told.push_back(nlohmann::ordered_json::parse(json));
    told.back()["run"] = run.dir.string();
    try {
      write_file_atomic(run.dir / "load.json", json);
    } catch (const Error& e) {  // such as in a folder that cannot be written
      std::cerr << "note: not kept for reports: " << e.what() << "\n";
    }
  }
  if (request.json) std::cout << told.dump(2) << "\n";
  return 0;
}

}  // namespace bitlab
