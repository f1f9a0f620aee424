#include "core/io/losses.h"
#include "experiments/dataset.h"

#include <cmath>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/data/tokenised_corpus.h"
#include "core/io/test_environment.h"
#include "core/io/test_folder.h"
#include "core/text/char_tokenizer.h"
#include "experiments/plan_test.h"
#include "experiments/planning.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// A cache of its own, and texts to read.
struct World {
  TestFolder folder;
  Environment environment;
  World() { environment.set("BITLAB_CACHE", (folder / "cache").string()); }
  std::string put(const std::string& name, const std::string& content) const {
    write_file_atomic(folder / name, content);
    return (folder / name).string();
  }
};

std::string tale(int sentences) {
  std::string text;
  for (int i = 0; i < sentences; ++i)
    text += "The " + std::string(i % 3 ? "cat" : "old dog") + " saw " + std::to_string(i % 10) +
            (i % 2 ? " mice.\n" : " birds in the garden.\n");
  return text;
}

// The spec of an experiment with this table [data].
Experiment experiment(const std::string& data, const std::string& model = "") {
  return Project("[data]\n" + data + "\n[model]\n" +
                 (model.empty() ? "n_layer = 1\nn_head = 2\nd_model = 16\nseq_len = 8" : model))
      .load();
}
Dataset opened(const std::string& data) { return open_dataset(experiment(data).spec().data); }

std::string decoded(const Dataset& data, const TokenSequence& tokens) {
  return data.tokenizer->decode(tokens.to_vector());
}

}  // namespace

TEST_CASE("the validation text is the same for every tokenizer", "[experiments][dataset]") {
  const World world;
  const std::string text = tale(400),
                    path = "sources = [\"" + world.put("tale.txt", text) + "\"]\n";
  const Dataset chars = opened(path),
                bpe = opened(path + "tokenizer = \"bpe\"\nbpe.vocab_size = 290");
  CHECK(decoded(chars, chars.tokens.train) + decoded(chars, chars.tokens.val) == text);
  CHECK(decoded(bpe, bpe.tokens.train) == decoded(chars, chars.tokens.train));
  CHECK(decoded(bpe, bpe.tokens.val) == decoded(chars, chars.tokens.val));
  CHECK(bpe.facts.vocab_size == 290);
  CHECK(bpe.facts.unit == "token");
  CHECK(bpe.facts.tokenizer == bpe.tokenizer->id());
  for (const Dataset* data : {&chars, &bpe}) {
    CHECK(data->facts.bytes == static_cast<std::int64_t>(text.size()));
    CHECK(data->facts.train_bytes + data->facts.val_bytes == data->facts.bytes);
    CHECK(data->facts.val_bytes == chars.facts.val_tokens);
    CHECK(data->facts.val_tokens == static_cast<std::int64_t>(data->tokens.val.size()));
  }
  CHECK(bpe.facts.val_tokens < chars.facts.val_tokens);
  // Uniform over 290 tokens, in bits per byte of text.
  CHECK(bits_per_byte(std::log(290.0), static_cast<double>(bpe.facts.val_tokens),
                      static_cast<double>(bpe.facts.val_bytes)) ==
        Approx(std::log2(290.0) * static_cast<double>(bpe.facts.val_tokens) /
               static_cast<double>(bpe.facts.val_bytes)));
}

TEST_CASE("a vocabulary is learned from the training split alone", "[experiments][dataset]") {
  const World world;
  const std::string train = tale(300), data = "tokenizer = \"bpe\"\nbpe.vocab_size = 280\n";
  const auto id = [&](const std::string& val) {
    const std::string path = world.put("t.txt", train + val);
    char fraction[64];
    std::snprintf(
        fraction, sizeof fraction, "val_fraction = %.9f\n",
        (static_cast<double>(val.size()) - 0.5) / static_cast<double>(train.size() + val.size()));
    return opened("sources = [\"" + path + "\"]\n" + data + fraction).tokenizer->id();
  };
  CHECK(id(std::string(500, 'z')) == id(std::string(900, 'q')));
}

TEST_CASE("a corpus is found in the cache by the next process", "[experiments][dataset]") {
  const World world;
  for (int i = 0; i < 20; ++i) world.put("shelf/" + std::to_string(100 + i) + ".txt", tale(30 + i));
  const std::string data = "sources = [\"files\"]\nfiles.path = \"" +
                           (world.folder / "shelf").string() +
                           "\"\ntokenizer = \"bpe\"\nbpe.vocab_size = 280\n";
  const Dataset first = opened(data);
  CHECK(token_folders().size() == 1);
  const Dataset again = opened(data);
  CHECK(token_folders().size() == 1);
  CHECK(again.tokens.train.to_vector() == first.tokens.train.to_vector());
  CHECK(again.tokenizer->to_json() == first.tokenizer->to_json());
  CHECK(again.facts.sha256 == first.facts.sha256);
  CHECK(again.facts.val_bytes == first.facts.val_bytes);
  const Dataset filtered = opened(data + "files.min_words = 240\n");
  CHECK(filtered.facts.bytes < first.facts.bytes);
  REQUIRE_FALSE(filtered.notes.empty());
  CHECK(filtered.notes.back().find("documents are left out") != std::string::npos);
  CHECK_THROWS_AS(opened("sources = [\"files\", \"synthetic-plays\"]\nfiles.path = \"/no/such\""),
                  UsageError);
  CHECK_THROWS_AS(experiment("sources = [\"files\"]"), UsageError);
}

TEST_CASE("the splits of a source in the tokens of a model", "[experiments][dataset]") {
  const World world;
  const std::string text = tale(50), path = world.put("tale.txt", text);
  const auto tokenizer = std::make_shared<CharTokenizer>(CharTokenizer::from_text(text + "xyz"));
  const LmDataset splits = open_splits(path, tokenizer, 0.2);
  CHECK(tokenizer->decode(splits.val.to_vector()) ==
        text.substr(text.size() - static_cast<std::size_t>(splits.val_bytes)));
  CHECK(splits.train_bytes == static_cast<std::uint64_t>(0.8 * static_cast<double>(text.size())));
  CHECK_THROWS_AS(open_splits("no-such-source", tokenizer, 0.2), UsageError);
}

TEST_CASE("the tokenizer of a file enters the id of a run, its path does not",
          "[experiments][dataset]") {
  const World world;
  const std::string data = "tokenizer = \"file\"\nsources = [\"synthetic-plays\"]\nfile.path = \"" +
                           (world.folder / "").string();
  const auto id = [&](const std::string& name, const std::string& tokenizer) {
    DataFacts facts;
    facts.tokenizer = tokenizer;
    return arm_hash(experiment(data + name + "\"").arms.front(), facts);
  };
  CHECK(id("a.json", "bpe-1") == id("b.json", "bpe-1"));
  CHECK(id("a.json", "bpe-1") != id("a.json", "bpe-2"));
}

TEST_CASE("a vocabulary that does not fit the model is refused before anything runs",
          "[experiments][dataset]") {
  const World world;
  const std::string path = "sources = [\"" + world.put("tale.txt", tale(400)) + "\"]\n";
  const auto planned = [&](int vocab_size) {
    const Experiment e = experiment(
        path + "tokenizer = \"bpe\"\nbpe.vocab_size = 290",
        "name = \"bitnet\"\nn_layer = 1\nn_head = 2\nd_model = 16\nd_ff = 32\nseq_len = 8\n"
        "vocab_size = " +
            std::to_string(vocab_size));
    return make_plan(e, open_dataset(e.spec().data), world.folder / "results", "test")
        .arms.front()
        .params;
  };
  CHECK_THROWS_AS(planned(289), UsageError);
  CHECK(planned(290) == planned(0));
  CHECK(planned(300) > planned(290));
}
