#pragma once
// For tests of imported and exported models.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error_of.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"
#include "experiments/export_model.h"
#include "experiments/import_model.h"
#include "experiments/loaded_run.h"
#include "experiments/test_runs.h"
#include "layers/model_test.h"

namespace bitlab {

inline std::filesystem::path source_path(const std::string& path) {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  REQUIRE(root != nullptr);
  return std::filesystem::path(root) / path;
}

// A vocabulary of this many characters from 'a' on.
inline std::filesystem::path letters(const TestFolder& folder, int count) {
  std::string text = R"({"type":"char","characters":[)";
  for (int i = 0; i < count; ++i)
    text += std::string(i > 0 ? "," : "") + "\"" + static_cast<char>('a' + i) + "\"";
  write_file_atomic(folder / kOwnTokenizerFile, text + "]}");
  return folder / kOwnTokenizerFile;
}

// One row a token.
inline std::vector<real> logits_of(const std::filesystem::path& run,
                                   const std::vector<std::int32_t>& tokens) {
  return logits(*load_run(run).model, tokens);
}

template <class A, class B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

inline bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

// A ternary model of the family that learned a little, as a worker leaves it. `more`: further
// settings of [model].
inline std::filesystem::path train_small_bitnet(const TestFolder& folder,
                                                const std::string& name,
                                                const std::string& more) {
  const std::string config = R"(
[data]
sources = ["synthetic-plays"]
[optim]
lr = 1e-2
[train]
steps = 12
batch_size = 4
shards = 2
checkpoint_every = 12
[eval]
every = 12
protocol = "random"
batches = 1
train_batches = 1
[model]
name = "bitnet"
n_layer = 2
n_head = 4
n_kv_head = 2
d_model = 16
d_ff = 24
seq_len = 16
)" + more;
  const std::filesystem::path dir = make_run(folder, name, config);
  REQUIRE(wait_for(start_worker(dir, 1)) == 0);
  return dir;
}

}  // namespace bitlab
