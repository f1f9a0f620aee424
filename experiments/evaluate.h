#pragma once
// How well a run's model predicts a text.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/io/remote_file.h"

namespace bitlab {

struct EvalRequest {
  std::string data;  // a source's name, or the path of a text with a '/'; empty: the run's own
  std::string split = {};  // train, val, test, or all of a text; empty: all of a path, else val
  std::size_t stride = 0;  // tokens from one window to the next; 0: the model's seq_len
  bool packed = false;     // the weights of packed.safetensors and not those of the checkpoint
  std::size_t threads = 1;
  FetchProgress data_progress = {};  // told of files that are fetched and text that is tokenised
  // Told of windows judged and to judge; by one thread at a time.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

struct EvalReport {
  std::filesystem::path weights;  // the file
  std::int64_t step = 0;          // of the checkpoint
  std::string data, split;
  std::string unit;         // of tokens: "character"
  std::int64_t tokens = 0;  // that were judged
  std::uint64_t bytes = 0;  // of the split's text
  std::size_t seq_len = 0, stride = 0;
  double loss = 0;            // mean, nats a token
  double standard_error = 0;  // of that mean, over windows
  double perplexity = 0;      // exp(loss)
  double bits_per_byte = 0;   // loss x tokens of the split / its bytes / ln 2
  double seconds = 0, tokens_per_s = 0;
};

// Windows of seq_len tokens are judged one by one. With the usual stride, the model's seq_len, that
// is what training does at eval.protocol = "full", and the loss has the same bits. A smaller stride
// gives each token at least seq_len - stride tokens of context: each is judged once, in the first
// window that it is in. The tokens that an imported model's texts begin with stand before the
// split. Throws UsageError for a split that the data does not have, a stride above seq_len, an
// imported run without `data`, and `packed` where nothing is packed.
EvalReport evaluate_run(const std::filesystem::path& run_dir, const EvalRequest& request);

}  // namespace bitlab
