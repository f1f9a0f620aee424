// Encoders that the user brings: the experiments on DistilBERT and bert-tiny, on small random
// checkpoints in the same format.
#include <nlohmann/json.hpp>

#include "cli/test_program.h"
#include "experiments/encoder_files.h"

using namespace bitlab;

namespace {

namespace fs = std::filesystem;

bool skipped_without_reviews() {
  if (std::getenv("BITLAB_MIRROR") != nullptr) return false;
  WARN("SKIPPED: needs the reviews of BITLAB_MIRROR");
  return true;
}

constexpr std::size_t kTokens = 30522;  // of BERT's uncased models

std::string with_vocabulary(std::string config) {
  const std::string small = "\"vocab_size\": 24";
  return config.replace(config.find(small), small.size(),
                        "\"vocab_size\": " + std::to_string(kTokens));
}

// The experiment as it is, with 40 reviews and a model that a test can afford.
std::vector<std::string> words(const std::string& experiment, const fs::path& checkpoint) {
  return {"run",
          experiment,
          "seed=1",
          "model.pretrained=" + checkpoint.string(),
          "model.n_layer=2",
          "model.n_head=2",
          "model.d_model=8",
          "model.d_ff=12",
          "model.seq_len=16",
          "data.max_length=16",
          "data.train_samples=40",
          "data.test_samples=20",
          "train.steps=4",
          "train.log_every=1",
          "train.checkpoint_every=4",
          "eval.every=4"};
}

}  // namespace

TEST_CASE("the experiments on DistilBERT and bert-tiny run, and their models classify",
          "[cli][encoders][mirror]") {
  if (skipped_without_reviews()) return;
  TestFolder folder;
  const Program program(folder.path(), "results");
  for (const bool bert : {true, false}) {
    const std::string experiment = bert ? "imdb-bert-tiny" : "imdb-distilbert";
    CAPTURE(experiment);
    const fs::path checkpoint = folder / ("checkpoint-" + experiment);
    save(checkpoint, with_vocabulary(bert ? bert_config() : distilbert_config()),
         tensors_of(small(bert, "classifier"),
                    bert ? EncoderFamily::Bert : EncoderFamily::DistilBert, kTokens));
    std::vector<std::string> args = words(experiment, checkpoint);
    for (const char* arm : {"seed", "hidden-twn"}) {
      args.emplace_back("--arm");
      args.emplace_back(arm);
    }
    const int code = program.run(args);
    INFO(program.output());
    REQUIRE(code == 0);
    REQUIRE(program.runs(experiment).size() == 3);  // hidden-twn takes full along
    CHECK(contains(program.output(), "ternary  blocks.*.attn.wq"));
    CHECK(contains(program.output(), "full     classifier"));
    CHECK(contains(program.output(), "hidden-twn classifies"));
    for (const fs::path& run : program.runs(experiment))
      CHECK(RunFolder(run).status().accuracy.has_value());

    write_file_atomic(folder / "reviews.txt",
                      "A film to forget.\r\n\nWonderful \xF0\x9F\x98\x80\n");
    const std::string run = program.runs(experiment).front().string();
    CHECK(program.run({"classify", run, "--file", (folder / "reviews.txt").string(), "--json"}) ==
          0);
    std::istringstream lines(program.output());
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with('{')) continue;
      const nlohmann::json text = nlohmann::json::parse(line);
      const double negative = text["probabilities"]["negative"],
                   positive = text["probabilities"]["positive"];
      CHECK(negative + positive == Approx(1));
      CHECK(text["label"] == (negative > positive ? "negative" : "positive"));
      CHECK(text["tokens"] == std::vector<int>{7, 2, 4}.at(count));  // with [CLS] and [SEP]
      ++count;
    }
    CHECK(count == 3);
    CHECK(program.run({"classify", run, "--text", "A film to forget."}) == 0);
    CHECK(contains(program.output(), "A film to forget."));
    CHECK(contains(program.output(), "tokens/s"));
    // Taken elsewhere in its smallest form; not while quantisation fades in.
    const std::string taken = (folder / ("taken-" + experiment)).string();
    const auto take = [&](const std::string& arm, const std::string& format) {
      for (const fs::path& made : program.runs(experiment))
        if (made.parent_path().filename().string().starts_with(arm + "-"))
          return program.run({"export", made.string(), "--format", format, "--weights",
                              "packed-f16", "-o", taken});
      return -1;
    };
    CHECK(take("hidden-twn", "run") == 2);
    CHECK(contains(program.output(), "quantisation must have faded in"));
    REQUIRE(program.run({"bench", "load", experiment}) == 0);
    CHECK(contains(program.output(), "packed-f16"));  // of seed; of the other what there is
    CHECK(take("seed", "hf") == 2);
    REQUIRE(take("seed", "run") == 0);
    CHECK(program.run({"classify", taken, "--text", "A film to forget."}) == 0);
    CHECK(program.run({"verify", taken}) == 0);
    CHECK(program.run({"show", taken}) == 0);
    CHECK(fs::exists(fs::path(taken) / "packed.safetensors"));
    CHECK(program.run({"classify", run, "--file", (folder / "none").string()}) == 2);
    CHECK(contains(program.output(), "must be a file of texts, one a line"));
    CHECK(program.run({"classify", run}) == 2);
  }
}

TEST_CASE("what another experiment has to train first is trained first, and no more",
          "[cli][encoders][mirror]") {
  if (skipped_without_reviews()) return;
  TestFolder folder;
  const Program program(folder.path(), "results");
  const fs::path home = folder / "home";
  const auto put = [&](const std::string& name, const std::string& head, const std::string& source,
                       const std::string& model, const std::string& arms) {
    write_file_atomic(home / "configs" / "experiments" / (name + ".toml"), head + R"(
[data]
tokenizer = "bert-uncased"
train_samples = 40
test_samples = 20
max_length = 16
sources = [")" + source + R"("]
[model]
name = "bert"
n_layer = 1
n_head = 2
d_model = 8
seq_len = 16
vocab_size = 30522
)" + model + R"(
[optim]
lr = 1e-3
[train]
steps = 3
batch_size = 8
checkpoint_every = 3
[eval]
every = 3
train_batches = 0
)" + arms);
  };
  put("words", "seeds = [1, 2]\ntask.name = \"masked-lm\"\n", "imdb-unlabelled",
      "head = \"masked-lm\"\n",
      "[arms.plain]\n[arms.again]\nmodel.pretrained = \"arm:plain\"\n[arms.unneeded]\noptim.lr = "
      "2e-3\n");
  put("labels", "seeds = [2]\ntask.name = \"classification\"\n", "imdb-sentiment", "",
      "[arms.tuned]\nmodel.pretrained = \"experiment:words/again\"\n");
  const auto bitlab = [&](const std::vector<std::string>& args) {
    return program.run(args, [&] { ::setenv("BITLAB_HOME", home.c_str(), 1); });
  };
  CHECK(bitlab({"run", "labels", "-n"}) == 0);
  INFO(program.output());
  CHECK(contains(program.output(), "first, for labels: bitlab run words --arm again seed=2\n"));
  CHECK(contains(program.output(), "2 runs: 2 new"));  // `plain` too, which `again` begins with
  CHECK(contains(program.output(), "1 run: 1 new"));
  CHECK(program.runs("words").empty());

  REQUIRE(bitlab({"run", "labels"}) == 0);
  CHECK(contains(program.output(), "first, for labels: bitlab run words --arm again seed=2"));
  std::set<std::string> done;
  for (const fs::path& run : program.runs("words"))
    if (RunFolder(run).done())
      done.insert(run.parent_path().filename().string().substr(0, 5) + run.filename().string());
  CHECK(done == std::set<std::string>{"againseed-2", "plainseed-2"});
  REQUIRE(program.runs("labels").size() == 1);
  CHECK(RunFolder(program.runs("labels").front()).done());
  // Nothing of the other experiment is lost to its reports.
  const nlohmann::json plan =
      nlohmann::json::parse(read_file(program.results() / "words" / "plan.json"));
  CHECK(plan["arms"].size() == 3);
  CHECK(plan["arms"][0]["seeds"].size() == 2);
  REQUIRE(bitlab({"run", "labels"}) == 0);
  CHECK_FALSE(contains(program.output(), "first, for labels"));

  // What comes to nothing is told, and nothing is begun with it.
  put("words", "seeds = [1, 2]\ntask.name = \"masked-lm\"\n", "imdb-unlabelled",
      "head = \"masked-lm\"\n", "[arms.again]\noptim.lr = 1e30\n");
  CHECK(bitlab({"run", "labels"}) == 1);  // something was run
  INFO(program.output());
  CHECK(contains(program.output(),
                 "must begin with runs of words, but not all of them could be finished"));
}
