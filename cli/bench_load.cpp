// bitlab bench load: what a trained model takes, on disk and in memory.
#include "experiments/bench_load.h"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/format.h"

namespace bitlab {

namespace {

std::string as_json(const std::vector<LoadBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const LoadBench& r : results)
    rows.push_back({{"file", r.file.string()},
                    {"packed", r.packed},
                    {"file_bytes", r.file_bytes},
                    {"resident_bytes", r.resident_bytes},
                    {"seconds", r.seconds}});
  return rows.dump(2) + "\n";
}

}  // namespace

int bench_load_command(const BenchRequest& request) {
  if (request.words.size() != 1)
    throw UsageError("bitlab bench load", "must be given one run", "bitlab bench load RUN");
  const std::vector<LoadBench> results = bench_load(find_run(request.words[0]));
  if (request.json) {
    std::cout << as_json(results);
    return 0;
  }
  const LoadBench& all = results.front();
  std::cout << fmt::format("{:<12} {:>10} {:>8} {:>10} {:>8} {:>10}\n", "", "file", "", "resident",
                           "", "loaded in");
  for (const LoadBench& r : results) {
    const auto times = [](auto more, auto less) {
      return fmt::format("{:.2f}x", static_cast<double>(more) / static_cast<double>(less));
    };
    std::cout << fmt::format(
        "{:<12} {:>10} {:>8} {:>10} {:>8} {:>7.3f} s\n", r.packed ? "packed" : "checkpoint",
        format_bytes(static_cast<std::int64_t>(r.file_bytes)), times(all.file_bytes, r.file_bytes),
        format_bytes(static_cast<std::int64_t>(r.resident_bytes)),
        times(all.resident_bytes, r.resident_bytes), r.seconds);
  }
  return 0;
}

}  // namespace bitlab
