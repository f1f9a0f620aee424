#pragma once
// What a trained model takes when it is loaded to be used.
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bitlab {

struct LoadBench {
  std::filesystem::path file;
  bool packed = false;
  std::uintmax_t file_bytes = 0;
  std::size_t resident_bytes = 0;  // that loading adds to a process: weights, codes, tokenizer
  double seconds = 0;              // of loading, the file in the system's cache
};

// The checkpoint, and packed.safetensors if there is one, each loaded in processes of its own; this
// one must have no other threads yet. Throws what load_run() throws.
std::vector<LoadBench> bench_load(const std::filesystem::path& run_dir);

}  // namespace bitlab
