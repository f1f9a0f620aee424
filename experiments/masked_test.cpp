// Masked tokens: what is hidden, what a step's loss is the mean over, and runs that learn them.
#include <cmath>
#include <map>
#include <set>

#include "core/base/rng.h"
#include "core/text/word_piece.h"
#include "experiments/classify.h"
#include "experiments/dataset.h"
#include "experiments/evaluate.h"
#include "experiments/masked_task.h"
#include "experiments/plan_test.h"
#include "experiments/planning.h"
#include "experiments/pretrained.h"
#include "experiments/run_folder.h"
#include "experiments/toy_reviews.h"
#include "experiments/verify.h"
#include "layers/models/bert.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;
using Tokens = std::vector<std::int32_t>;

constexpr std::int32_t kCls = 2, kSep = 3, kMask = 4, kFirstWord = 5;

struct Masked {
  Tokens text, targets;
  std::vector<std::size_t> rows;
};

Masked mask(const Masking& masking, Tokens text, std::uint64_t key) {
  Masked m{std::move(text), {}, {}};
  masking.apply(m.text, Rng(1, "mask"), key, 0, m.rows, m.targets);
  return m;
}

Tokens long_text(std::size_t words) {
  Tokens text = {kCls};
  for (std::size_t i = 0; i < words; ++i)
    text.push_back(kFirstWord + static_cast<std::int32_t>(i % 8));
  text.push_back(kSep);
  return text;
}

Spec masked_spec(const TestFolder& folder) {
  return load_run_spec(make_run(folder, "spec", masked_config(folder)) / "config.toml");
}

// The pieces of a step.
std::vector<Batch> pieces(const BatchSource& source, std::uint64_t step, std::size_t shards) {
  std::vector<Batch> all(shards);
  for (std::size_t i = 0; i < shards; ++i) source(step, i * 8 / shards, 8 / shards, all[i]);
  return all;
}

}  // namespace

TEST_CASE("masks hide a share of a text's words, mostly behind [MASK], and never its frame",
          "[masked]") {
  const WordPiece tokenizer = WordPiece::from_vocab_txt(vocabulary());
  const Masking masking(tokenizer);
  CHECK(masking.count(Tokens{kCls, kSep}) == 0);
  CHECK(masking.count(Tokens{kCls, 6, kSep}) == 1);  // at least one
  CHECK(masking.count(Tokens{kCls, 1, kSep}) == 0);  // [UNK] is no word
  CHECK(masking.count(long_text(20)) == 3);
  CHECK(masking.count(long_text(100)) == 15);
  CHECK(mask(masking, {kCls, kSep}, 1).text == Tokens{kCls, kSep});

  const Tokens text = long_text(100);
  std::map<std::size_t, int> where;
  double masked = 0, other = 0, same = 0, all = 0;
  for (std::uint64_t key = 0; key < 400; ++key) {
    const Masked m = mask(masking, text, key);
    REQUIRE(m.rows.size() == 15);
    REQUIRE(m.targets.size() == 15);
    CHECK(std::is_sorted(m.rows.begin(), m.rows.end()));
    Tokens whole = m.text;
    for (std::size_t i = 0; i < 15; ++i) {
      ++where[m.rows[i]];
      ++all;
      CHECK(m.targets[i] == text[m.rows[i]]);
      const std::int32_t now = m.text[m.rows[i]];
      (now == kMask ? masked : now == m.targets[i] ? same : other) += 1;
      whole[m.rows[i]] = m.targets[i];
    }
    CHECK(whole == text);  // nothing else has changed
  }
  // Of 13 tokens drawn one is [MASK] and one the target itself.
  CHECK(masked / all == Approx(0.8 + 0.1 / 13).margin(0.02));
  CHECK(same / all == Approx(0.1 + 0.1 / 13).margin(0.015));
  CHECK(other / all == Approx(0.1 * 11 / 13).margin(0.015));
  CHECK(where.size() == 100);  // every word's turn comes
  CHECK(where.count(0) + where.count(101) == 0);
  for (const auto& [place, times] : where) CHECK(times > 25);  // of 60
  CHECK(mask(masking, text, 3).text == mask(masking, text, 3).text);
  CHECK(mask(masking, text, 3).text != mask(masking, text, 4).text);
}

TEST_CASE(
    "the pieces of a step have the same masks and the whole step's targets, however it is cut",
    "[masked]") {
  const TestFolder folder;
  const Spec spec = masked_spec(folder);
  const Dataset data = open_dataset(spec.data);
  CHECK(data.labelled->labels.empty());
  const BatchSource source = make_task(spec, data, 5)->train_batches();
  std::set<Tokens> epochs;
  for (std::uint64_t step = 0; step < 50; ++step) {
    std::multiset<std::pair<Tokens, Tokens>> first;
    for (const std::size_t shards : {1, 2, 4, 8}) {
      std::multiset<std::pair<Tokens, Tokens>> texts;
      std::size_t targets = 0;
      const auto all = pieces(source, step, shards);
      for (const Batch& batch : all) {
        REQUIRE(batch.picked);
        REQUIRE(batch.picked->size() == batch.targets.size());
        targets += batch.targets.size();
        std::size_t next = 0;
        for (std::size_t b = 0; b + 1 < batch.begins.size(); ++b) {
          Tokens own;
          for (; next < batch.targets.size() && (*batch.picked)[next] < batch.begins[b + 1]; ++next)
            own.push_back(batch.targets[next]);
          texts.insert({{batch.tokens.begin() + long(batch.begins[b]),
                         batch.tokens.begin() + long(batch.begins[b + 1])},
                        own});
        }
        CHECK(next == batch.targets.size());
      }
      for (const Batch& batch : all) CHECK(batch.step_targets == std::max<std::size_t>(1, targets));
      if (shards == 1) first = texts;
      CHECK(texts == first);
    }
    for (const auto& [text, targets] : first) epochs.insert(text);
  }
  CHECK(epochs.size() > 220);  // 200 texts twice: most long ones with other masks
}

TEST_CASE("a step's loss is the mean over its targets, not over pieces", "[masked]") {
  const TestFolder folder;
  Spec spec = masked_spec(folder);
  const Dataset data = open_dataset(spec.data);
  const LanguageModel model = build_model(spec, data.tokenizer->vocab_size(), 1);
  CHECK(model.vocab_size() == 13);
  const auto task = make_task(spec, data, 5);
  std::vector<std::vector<real>> gradients;
  for (const std::int64_t shards : {1, 2, 4}) {
    spec.train.shards = shards;
    TrainStep step(model, spec.train, 5, task->train_batches());
    ThreadTeam one(1), three(3);
    const double loss = step.run(3, one);
    const View g = step.gradient();
    gradients.emplace_back(g.data, g.data + g.size());
    CHECK(step.run(3, three) == loss);  // bits, whatever the threads
    CHECK(std::equal(gradients.back().begin(), gradients.back().end(), step.gradient().data));

    double sum = 0;
    std::size_t targets = 0;
    for (const Batch& batch : pieces(task->train_batches(), 3, static_cast<std::size_t>(shards))) {
      Pass pass;
      pass.batch = batch.begins.size() - 1;
      pass.seq_len = model.seq_len();
      pass.tokens = batch.tokens.data();
      pass.begins = batch.begins.data();
      pass.picked = &*batch.picked;
      sum += model.loss(pass, batch.targets.data());
      targets += batch.targets.size();
    }
    CHECK(loss == Approx(sum / double(targets)).epsilon(0.1));  // dropout apart
  }
}

TEST_CASE("without dropout a step's gradient does not depend on its shards", "[masked]") {
  const TestFolder folder;
  Spec spec = masked_spec(folder);
  auto& bert = dynamic_cast<BertConfig&>(*spec.model);
  bert.dropout = bert.attention_dropout = 0;
  const Dataset data = open_dataset(spec.data);
  const LanguageModel model = build_model(spec, data.tokenizer->vocab_size(), 1);
  const auto task = make_task(spec, data, 5);
  std::vector<real> whole;
  double loss = 0;
  for (const std::int64_t shards : {1, 2, 4, 8}) {
    spec.train.shards = shards;
    TrainStep step(model, spec.train, 5, task->train_batches());
    ThreadTeam team(1);
    const double now = step.run(7, team);
    const View g = step.gradient();
    if (shards == 1) {
      whole.assign(g.data, g.data + g.size());
      loss = now;
      continue;
    }
    CHECK(now == Approx(loss).epsilon(1e-5));
    double worst = 0, size = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      worst = std::max<double>(worst, std::fabs(whole[i] - g.data[i]));
      size = std::max<double>(size, std::fabs(whole[i]));
    }
    CHECK(worst < 1e-4 * size);
  }
}

TEST_CASE("a run finds masked words, and what it began can be gone on with", "[masked][worker]") {
  const TestFolder folder;
  const fs::path dir =
      make_run(folder, "run", replaced(masked_config(folder), "steps = 120", "steps = 400"));
  REQUIRE(wait_for(start_worker(dir, 2)) == 0);
  const RunStatus status = RunFolder(dir).status();
  CHECK(*status.val_loss < 0.6 * std::log(8.0));  // of eight words
  CHECK_FALSE(status.accuracy);
  const RunMetrics metrics = read_metrics(dir / "metrics.h5");
  CHECK(metrics.eval.front().loss > 2);
  std::set<std::int64_t> judged;  // the same masks at every evaluation
  for (const EvalRow& row : metrics.eval)
    if (row.split == "val") judged.insert(row.tokens);
  CHECK(judged.size() == 1);
  CHECK(metrics.predictions.empty());

  const Proof proof = verify_run(dir, 2);
  CHECK(proof.passed());
  CHECK(proof.loss == *status.val_loss);
  const LoadedRun run = load_run(dir);
  CHECK(error_of([&] { classify(run, {"the film"}, 1); }).find("must be a classifier") !=
        std::string::npos);
  CHECK(error_of([&] { evaluate_run(dir, {}); }).find("what it loses on masked tokens") !=
        std::string::npos);

  // Fine-tuning begins with its encoder; what a classifier has more begins fresh.
  Spec spec = spec_of(folder);
  auto& config = dynamic_cast<BertConfig&>(*spec.model);
  config.pretrained = dir.string();
  LanguageModel model = build_model(spec, 13, 9);
  CHECK(load_pretrained(spec, model) == std::vector<std::string>{"pooler.weight", "pooler.bias",
                                                                 "classifier.weight",
                                                                 "classifier.bias"});
  const View want = run.model->params().params()[0]->value, got = model.params().params()[0]->value;
  CHECK(std::equal(want.data, want.data + want.size(), got.data));
  Spec again = masked_spec(folder);
  dynamic_cast<BertConfig&>(*again.model).pretrained = dir.string();
  LanguageModel whole = build_model(again, 13, 9);
  CHECK(load_pretrained(again, whole).empty());
}

TEST_CASE("a run of masked words that is killed ends with the bytes of an undisturbed one",
          "[masked][worker][resume]") {
  const TestFolder folder;
  const fs::path calm = make_run(folder, "calm", masked_config(folder)),
                 killed = make_run(folder, "killed", masked_config(folder));
  run_with_kills(calm, killed);
  CHECK(final_weights(killed) == final_weights(calm));
  CHECK(metrics_text(killed) == metrics_text(calm));
}

TEST_CASE("settings of masked tokens that do not go together are refused", "[masked][errors]") {
  const TestFolder folder;
  const auto refusal = [&](const std::string& from, const std::string& to) {
    const std::string config = replaced(masked_config(folder), from, to);
    return error_of([&] { load_run_spec(make_run(folder, "bad", config) / "config.toml"); });
  };
  const auto says = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  says(refusal("name = \"masked-lm\"", "name = \"classification\""), "must be masked-lm with");
  says(refusal("name = \"masked-lm\"", "name = \"language\""), "must be masked-lm with");
  says(refusal("\"toy-echoes\"", "\"synthetic-plays\""), "must be language with");
  says(refusal("\"toy-echoes\"", "\"toy-echoes\", \"toy-reviews\""), "must all be of labelled");
  says(refusal("head = \"masked-lm\"", "head = \"classifier\""),
       "must be \"masked-lm\" where task.name = \"masked-lm\"");
  const std::string headed =
      replaced(toy_config(folder), "name = \"bert\"\n", "name = \"bert\"\nhead = \"masked-lm\"\n");
  says(error_of([&] { load_run_spec(make_run(folder, "bad", headed) / "config.toml"); }),
       "must be \"classifier\" where task.name = \"classification\"");
  write_file_atomic(folder / "bare" / "vocab.txt", replaced(vocabulary(), "[MASK]\n", ""));
  const std::string bare = replaced(masked_config(folder), "/vocab.txt", "/bare/vocab.txt");
  const Spec spec = load_run_spec(make_run(folder, "bare-run", bare) / "config.toml");
  const Dataset data = open_dataset(spec.data);
  says(error_of([&] { make_task(spec, data, 1); }), "must have a token [MASK]");
}

TEST_CASE("labelled reviews can be masked too, and losses are told as what they are", "[masked]") {
  const TestFolder folder;
  const Project project(replaced(masked_config(folder), "toy-echoes", "toy-reviews"));
  const Experiment experiment = project.load();
  const Dataset data = open_dataset(experiment.spec().data);
  const Plan plan = make_plan(experiment, data, folder / "results", "");
  CHECK(plan.data.unit == "masked token");
  REQUIRE(plan.references.size() == 1);
  CHECK(plan.references[0].loss == Approx(std::log(13.0)));
}

}  // namespace bitlab
