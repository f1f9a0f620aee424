#pragma once
// What a trained model takes when it is loaded to be used.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bitlab {

struct LoadBench {
  std::string weights;  // f32, f16, packed, packed-f16 (see ExportWeights), or else as they came
  std::uintmax_t file_bytes = 0;
  std::size_t resident_bytes = 0;  // that loading adds to a process: weights, codes, tokenizer
  double seconds = 0;              // of loading, the file in the system's cache
};

// The checkpoint and, of a ternary model whose quantisation has faded in, the packed weights, each
// loaded in processes of its own; of a run that is done and stored in fp32 also what is rounded to
// fp16, in a temporary folder. This process must have no other threads yet. Throws what load_run()
// and export_run() throw.
std::vector<LoadBench> bench_load(const std::filesystem::path& run_dir);

// RUN/load.json: for the report.
std::string load_bench_json(const std::vector<LoadBench>& results);

}  // namespace bitlab
