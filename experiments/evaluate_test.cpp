// Evaluation of runs: against the loss that training measured, and against a plain version of it.
#include "experiments/evaluate.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/data/sources.h"
#include "core/text/tokenizer_test.h"
#include "experiments/checkpoint.h"
#include "experiments/dataset.h"
#include "experiments/model_test.h"
#include "experiments/run_folder.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

// Nats of each token but the first, in the first window that it is in, one window at a time.
std::vector<double> reference(const LanguageModel& model,
                              const std::vector<std::int32_t>& tokens,
                              std::size_t stride) {
  std::vector<double> losses;
  for (std::size_t begin = 0; losses.size() + 1 < tokens.size(); begin += stride) {
    const std::size_t end = std::min(begin + model.seq_len(), tokens.size() - 1);
    const auto z = logits(model, {tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                                  tokens.begin() + static_cast<std::ptrdiff_t>(end)});
    const std::size_t vocab = model.vocab_size();
    for (std::size_t t = losses.size(); t < end; ++t) {
      const real* row = z.data() + (t - begin) * vocab;
      double sum = 0;
      for (std::size_t v = 0; v < vocab; ++v) sum += std::exp(static_cast<double>(row[v]));
      losses.push_back(std::log(sum) - row[static_cast<std::size_t>(tokens[t + 1])]);
    }
  }
  return losses;
}

double mean(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

std::string text_file(const TestFolder& folder, const std::string& text) {
  write_file_atomic(folder / "text.txt", text);
  return (folder / "text.txt").string();
}

}  // namespace

TEST_CASE("evaluation of the validation split has the bits of training's", "[evaluate]") {
  const TestFolder folder;
  for (const std::string linear : {"full", "bitlinear"}) {
    std::string config = small_config();
    config.replace(config.find("protocol = \"random\""), 19, "protocol = \"full\"");
    config.replace(config.find("linear = \"bitlinear\""), 20, "linear = \"" + linear + "\"");
    config.replace(config.find("steps = 600"), 11, "steps = 20");
    if (linear == "full") config.replace(config.find("bitlinear.preset"), 36, std::string(36, ' '));
    const fs::path run = make_run(folder, linear, config);
    REQUIRE(wait_for(start_worker(run, 2)) == 0);
    const double trained = *RunFolder(run).status().val_loss;
    const EvalReport report = evaluate_run(run, {.data = ""});
    CHECK(report.loss == trained);
    CHECK(report.data == "synthetic-plays");
    CHECK(report.split == "val");
    CHECK(report.step == 20);
    CHECK(evaluate_run(run, {.data = "synthetic-plays", .threads = 2}).loss == trained);
    CHECK(evaluate_run(run, {.data = "", .packed = true, .threads = 2}).loss == trained);
    for (const EvalRow& row : read_metrics(run / "metrics.h5").eval)
      if (row.step == 20 && row.split == "val") CHECK(row.standard_error == report.standard_error);
    CHECK(report.perplexity == std::exp(trained));
    CHECK(report.bits_per_byte == Approx(trained / std::log(2)));  // a character is a byte
    CHECK(evaluate_run(run, {.data = "", .split = "train"}).tokens > 9 * report.tokens - 20);
  }
}

TEST_CASE("evaluation tells how far it is", "[evaluate]") {
  const TestFolder folder;
  const fs::path run = train_small_bitnet(folder, "run", "");
  const std::string file = text_file(folder, std::string(2000, 'e'));
  const double loss = evaluate_run(run, {.data = file}).loss;
  for (const std::size_t threads : {1, 3}) {
    std::vector<std::uint64_t> done;
    EvalRequest request{.data = file, .threads = threads};
    request.progress = [&](std::uint64_t now, std::uint64_t total) {
      CHECK(total == (1999 + load_run(run).spec.seq_len() - 1) / load_run(run).spec.seq_len());
      done.push_back(now);
      if (now == total) CHECK(done.size() > 1);
    };
    CHECK(evaluate_run(run, request).loss == loss);
    CHECK(std::is_sorted(done.begin(), done.end()));
    CHECK(done.front() == 0);
  }
}

TEST_CASE("evaluation judges each token once, with as much context as the stride leaves",
          "[evaluate]") {
  const TestFolder folder;
  const fs::path run = train_small_bitnet(folder, "run", "");
  const LoadedRun loaded = load_run(run);
  const std::string text =
      "ROSALIND:\nWhat is it now, and where shall I begin? Say no more to me.\n";
  const auto tokens = loaded.tokenizer->encode(text);
  for (const std::size_t length : {text.size(), std::size_t{17}, std::size_t{16}, std::size_t{9}})
    for (const std::size_t stride : {1, 3, 8, 15, 16}) {
      INFO(length << " tokens, stride " << stride);
      const std::vector<std::int32_t> some(tokens.begin(),
                                           tokens.begin() + static_cast<std::ptrdiff_t>(length));
      const auto losses = reference(*loaded.model, some, stride);
      const EvalReport report =
          evaluate_run(run, {.data = text_file(folder, text.substr(0, length)), .stride = stride});
      CHECK(report.tokens == static_cast<std::int64_t>(losses.size()));
      CHECK(report.loss == Approx(mean(losses)).margin(1e-6));
      CHECK(report.bytes == length);
      CHECK(report.split == "all");
      CHECK(report.bits_per_byte == Approx(report.loss / std::log(2)));
    }
}

TEST_CASE("an imported model's text begins with its token", "[evaluate]") {
  const fs::path model = mirror_file("stories260K/stories260K.bin");
  if (model.empty()) return;
  const TestFolder folder;
  import_model({model, folder / "run", {}});
  const LoadedRun run = load_run(folder / "run");
  const std::string text =
      "Once upon a time, there was a little girl named Lily. She loved to play outside.";
  std::vector<std::int32_t> tokens = run.tokenizer->encode(text);
  tokens.insert(tokens.begin(), 1);
  const auto losses = reference(*run.model, tokens, 512);
  const EvalReport report = evaluate_run(folder / "run", {.data = text_file(folder, text)});
  CHECK(report.tokens == static_cast<std::int64_t>(tokens.size()) - 1);
  CHECK(report.loss == Approx(mean(losses)).margin(1e-5));
  CHECK(report.loss < 1);  // it has seen such stories
  CHECK(report.bits_per_byte == Approx(report.loss * static_cast<double>(report.tokens) /
                                       std::log(2) / static_cast<double>(text.size())));
  CHECK(says(error_of([&] { evaluate_run(folder / "run", {.data = ""}); }), "must be named"));
}

TEST_CASE("evaluation refuses what is not there", "[evaluate]") {
  const TestFolder folder;
  const fs::path run = train_small_bitnet(folder, "run", "");
  const auto refusal = [&](const EvalRequest& request) {
    return error_of([&] { evaluate_run(run, request); });
  };
  CHECK(says(refusal({.data = "", .split = "test"}), "must be train or val"));
  CHECK(says(refusal({.data = "", .split = "all"}), "must be train or val"));
  CHECK(says(refusal({.data = text_file(folder, "Some words."), .split = "middle"}),
             "must be all, train or val"));
  CHECK(says(refusal({.data = "", .stride = 17}), "at most the model's seq_len 16"));
  CHECK_FALSE(refusal({.data = "nothing-like-it"}).empty());
  CHECK_FALSE(refusal({.data = (folder / "none.txt").string()}).empty());
  CHECK(says(refusal({.data = text_file(folder, "a")}), "at least 2 tokens"));
  fs::remove(run / "packed.safetensors");
  CHECK(says(refusal({.data = "", .packed = true}), "holds none"));
  // Other data than it was trained on, which give the same tokenizer.
  const fs::path config = list_checkpoints(run).back() / "config.json";
  auto described = nlohmann::json::parse(read_file(config));
  described["data_sha256"] = std::string(64, '0');
  write_file_atomic(config, described.dump());
  CHECK(says(refusal({.data = ""}), "the data have changed"));
  CHECK(evaluate_run(run, {.data = "synthetic-plays"}).tokens > 0);
}

}  // namespace bitlab
