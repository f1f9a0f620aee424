#pragma once
// Small reviews, labelled and not, and runs that learn from them in a fraction of a second. Tests
// only.
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "core/base/error_of.h"
#include "core/base/rng.h"
#include "core/data/sources.h"
#include "experiments/plan.h"
#include "experiments/run_folder.h"
#include "experiments/test_runs.h"

namespace bitlab {

inline constexpr const char* kWords[] = {"the", "film", "was", "good",
                                         "bad", "long", "and", "actor"};

// Reviews of 1 to 30 words, whose label is whether "good" or "bad" comes in them.
inline void toy_reviews(const FetchedSource&, const LabelledTextSink& sink) {
  const Rng rng(3, "toy");
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto label = static_cast<std::int64_t>(i % 2);
    std::string text;
    const std::uint64_t words = rng.below(30, i, 0), where = rng.below(words + 1, i, 1);
    for (std::uint64_t w = 0; w <= words; ++w) {
      const std::uint64_t neutral = rng.below(6, i, 2 + w);
      text += w == where ? kWords[label ? 3 : 4] : kWords[neutral < 3 ? neutral : neutral + 2];
      text += ' ';
    }
    sink({i < 300 ? LabelledSplit::Train : LabelledSplit::Test, label, text});
  }
}

// Without labels: one word, 1 to 20 times; one is empty.
inline void toy_echoes(const FetchedSource&, const LabelledTextSink& sink) {
  const Rng rng(4, "toy");
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::string text;
    const std::uint64_t words = i == 7 ? 0 : 1 + rng.below(20, i, 0), word = rng.below(8, i, 1);
    for (std::uint64_t w = 0; w < words; ++w) text += std::string(kWords[word]) + " ";
    sink({i < 300 ? LabelledSplit::Train : LabelledSplit::Test, 0, text});
  }
}

inline void register_toy() {
  if (data_sources().contains("toy-reviews")) return;
  Source echoes;
  echoes.name = "toy-echoes";
  echoes.description = "for tests";
  echoes.read_labelled = toy_echoes;
  data_sources().add(echoes.name, echoes);
  Source source;
  source.name = "toy-reviews";
  source.description = "for tests";
  source.labels = {"negative", "positive"};
  source.read_labelled = toy_reviews;
  data_sources().add(source.name, source);
}

inline std::string vocabulary() {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const char* word : kWords) text += std::string(word) + "\n";
  return text;
}

inline std::string toy_config(const TestFolder& folder, const std::string& more = "") {
  register_toy();
  if (!std::filesystem::exists(folder / "vocab.txt"))
    write_file_atomic(folder / "vocab.txt", vocabulary());
  return R"(
[task]
name = "classification"
[data]
sources = ["toy-reviews"]
tokenizer = "file"
file.path = ")" +
         (folder / "vocab.txt").string() + R"("
train_samples = 200
test_samples = 60
max_length = 24
[model]
name = "bert"
n_layer = 1
n_head = 2
d_model = 16
seq_len = 24
dropout = 0.05
linear = "bitlinear"
bitlinear.preset = "imdb-seed"
[optim]
lr = 5e-3
clip = 1.0
[train]
steps = 120
batch_size = 8
shards = 2
log_every = 10
checkpoint_every = 5
[eval]
every = 40
train_batches = 2
)" + more;
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The same encoder that learns to find masked words of echoes.
inline std::string masked_config(const TestFolder& folder, const std::string& more = "") {
  std::string config = replaced(toy_config(folder, more), "\"classification\"", "\"masked-lm\"");
  config = replaced(config, "toy-reviews", "toy-echoes");
  return replaced(config, "name = \"bert\"\n",
                  "name = \"bert\"\nhead = \"masked-lm\"\nternary.exclude = [\"head.dense\"]\n");
}

inline Spec spec_of(const TestFolder& folder, const std::string& more = "") {
  return load_run_spec(make_run(folder, "spec", toy_config(folder, more)) / "config.toml");
}

// Trains `calm` undisturbed, and `killed` with SIGKILLs on one thread and two in turns, each some
// time after a new checkpoint: that is progress, however busy the machine is.
inline void run_with_kills(const std::filesystem::path& calm, const std::filesystem::path& killed) {
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(wait_for(start_worker(calm, 1)) == 0);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
  int kills = 0;
  for (int attempt = 0; !RunFolder(killed).done() && attempt < 100; ++attempt) {
    const auto before = list_checkpoints(killed);
    const pid_t pid = start_worker(killed, 1 + static_cast<std::size_t>(attempt % 2));
    if (attempt < 6) {
      for (int looks = 0; looks < 60'000 && list_checkpoints(killed) == before; ++looks)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::this_thread::sleep_for(whole * 0.01 * attempt);
      ::kill(pid, SIGKILL);
    }
    kills += wait_for(pid) == 128 + SIGKILL;
  }
  CHECK(kills >= 1);
  REQUIRE(RunFolder(killed).done());
}

}  // namespace bitlab
