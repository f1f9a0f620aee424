// bitlab bench attention: forward and backward at several lengths against sgemm.
#include "experiments/bench_attention.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "core/base/error.h"

namespace bitlab {

namespace {

std::string as_json(const std::vector<AttentionBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const AttentionBench& r : results)
    rows.push_back({{"seq_len", r.seq_len},
                    {"forward_ms", r.forward_ms},
                    {"backward_ms", r.backward_ms},
                    {"gflops", r.gflops},
                    {"sgemm_gflops", r.sgemm_gflops},
                    {"share", r.share},
                    {"scratch_bytes", r.scratch_bytes}});
  return rows.dump(2) + "\n";
}

}  // namespace

int bench_attention_command(const BenchRequest& request) {
  if (!request.words.empty())
    throw UsageError("bitlab bench attention",
                     "takes no further words, but got '" + request.words[0] + "'");
  const std::vector<AttentionBench> results = bench_attention(request.attention);
  if (request.json) {
    std::cout << as_json(results);
    return 0;
  }
  std::printf("%8s %12s %12s %9s %9s %7s %10s\n", "seq_len", "forward ms", "backward ms", "GFLOP/s",
              "sgemm", "share", "scratch");
  for (const AttentionBench& r : results)
    std::printf("%8zu %12.3f %12.3f %9.1f %9.1f %6.1f%% %7.1f MB\n", r.seq_len, r.forward_ms,
                r.backward_ms, r.gflops, r.sgemm_gflops, 100 * r.share,
                static_cast<double>(r.scratch_bytes) / 1e6);
  return 0;
}

}  // namespace bitlab
