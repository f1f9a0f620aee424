// Texts classified, from their tokens to a finished run.
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/data/sources.h"
#include "core/io/classification_scores.h"
#include "core/text/word_piece.h"
#include "experiments/arm_references.h"
#include "experiments/classification_task.h"
#include "experiments/classify.h"
#include "experiments/dataset.h"
#include "experiments/encoder_files.h"
#include "experiments/model_test.h"
#include "experiments/plan_test.h"
#include "experiments/planning.h"
#include "experiments/pretrained.h"
#include "experiments/run_folder.h"
#include "experiments/test_runs.h"
#include "experiments/text_batches.h"
#include "experiments/toy_encoder.h"
#include "experiments/toy_reviews.h"
#include "layers/models/bert.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string scores_text(const fs::path& dir) {
  const RunMetrics m = read_metrics(dir / "metrics.h5");
  std::string text;
  for (const ScoreRow& r : m.scores)
    text += std::to_string(r.step) + r.split + std::to_string(r.accuracy) + std::to_string(r.f1);
  for (const PredictionRow& r : m.predictions)
    text += std::to_string(r.text) + std::to_string(r.predicted) + std::to_string(r.probability);
  return text;
}

}  // namespace

TEST_CASE("texts get [CLS] and [SEP], lose their end, and are never without a token",
          "[classification]") {
  const WordPiece tokenizer = WordPiece::from_vocab_txt(vocabulary());
  using Tokens = std::vector<std::int32_t>;
  CHECK(encode_text(tokenizer, "The film", 16) == Tokens{2, 5, 6, 3});
  CHECK(encode_text(tokenizer, "", 16) == Tokens{2, 3});
  CHECK(encode_text(tokenizer, "good film and bad film", 4) == Tokens{2, 8, 6, 3});
  CHECK(encode_text(tokenizer, "go\xff\xfeod", 16) ==
        Tokens{2, 8, 3});  // what is no UTF-8 is left out
  std::string endless;
  for (int i = 0; i < 100000; ++i) endless += "film ";
  CHECK(encode_text(tokenizer, endless, 512).size() == 512);
  CHECK_THROWS_AS(encode_text(tokenizer, "film", 2), UsageError);
}

TEST_CASE("a batch is its texts without padding, each text once an epoch, whatever the shards",
          "[classification]") {
  const TestFolder folder;
  const Spec spec = spec_of(folder);
  const Dataset data = open_dataset(spec.data);
  REQUIRE(data.labelled);
  CHECK(data.labelled->train.size() == 200);
  CHECK(data.labelled->test.size() == 60);
  CHECK(data.facts.unit == "text");
  const std::unique_ptr<Task> task = make_task(spec, data, 5);
  const BatchSource source = task->train_batches();
  const auto texts_of = [&](std::uint64_t step, std::size_t shards) {
    std::multiset<std::vector<std::int32_t>> all;
    std::vector<std::size_t> sizes;
    for (std::size_t shard = 0; shard < shards; ++shard) {
      Batch batch;
      source(step, shard * 8 / shards, 8 / shards, batch);
      REQUIRE(batch.begins.size() == 8 / shards + 1);
      REQUIRE(batch.begins.back() == batch.tokens.size());
      REQUIRE(batch.targets.size() == 8 / shards);
      sizes.push_back(batch.tokens.size());
      for (std::size_t i = 0; i + 1 < batch.begins.size(); ++i) {
        std::vector<std::int32_t> text(batch.tokens.begin() + long(batch.begins[i]),
                                       batch.tokens.begin() + long(batch.begins[i + 1]));
        CHECK(text.front() == 2);  // [CLS]
        CHECK(text.back() == 3);   // [SEP]
        const bool good = std::count(text.begin(), text.end(), 8) > 0;
        if (text.size() < 24) CHECK(batch.targets[i] == good);
        text.push_back(batch.targets[i]);
        all.insert(text);
      }
    }
    return all;
  };
  std::multiset<std::vector<std::int32_t>> epoch, other;
  for (std::uint64_t step = 0; step < 25; ++step) {  // 25 * 8 = 200
    const auto whole = texts_of(step, 1);
    CHECK(whole == texts_of(step, 2));
    CHECK(whole == texts_of(step, 4));
    epoch.insert(whole.begin(), whole.end());
    const auto next = texts_of(step + 25, 1);
    CHECK(whole != next);
    other.insert(next.begin(), next.end());
  }
  CHECK(epoch.size() == 200);
  CHECK(epoch == other);
}

TEST_CASE("probabilities do not depend on threads, nor on what else is classified",
          "[classification]") {
  const TestFolder folder;
  const Spec spec = spec_of(folder);
  const Dataset data = open_dataset(spec.data);
  const LanguageModel model = build_model(spec, data.tokenizer->vocab_size(), 1);
  std::vector<std::span<const std::int32_t>> texts;
  for (std::size_t i = 0; i < data.labelled->test.size(); ++i)
    texts.push_back(data.labelled->test.tokens_of(i));
  ThreadTeam one(1), three(3);
  const auto all = label_probabilities(model, texts, one);
  CHECK(all == label_probabilities(model, texts, three));
  CHECK(label_probabilities(model, {texts[7]}, one)[0] == all[7]);
  for (const auto& p : all) CHECK(p[0] + p[1] == Approx(1));
  const std::atomic<int> stop{1};
  ThreadTeam stopped(2, &stop);
  CHECK_THROWS_AS(label_probabilities(model, texts, stopped), Stopped);
}

TEST_CASE("a run learns to classify, and what it said can be had again",
          "[classification][worker]") {
  const TestFolder folder;
  const fs::path dir = make_run(folder, "run", toy_config(folder));
  REQUIRE(wait_for(start_worker(dir, 2)) == 0);
  const RunStatus status = RunFolder(dir).status();
  REQUIRE(status.accuracy);
  CHECK(*status.accuracy > 0.9);
  const RunMetrics metrics = read_metrics(dir / "metrics.h5");
  REQUIRE(metrics.predictions.size() == 60);
  const ClassificationScores scores = score(metrics.predictions, 2);
  CHECK(scores.accuracy == *status.accuracy);
  CHECK(scores.f1 == *status.f1);
  double loss = 0;
  for (const PredictionRow& row : metrics.predictions) loss += row.loss / 60;
  CHECK(loss == Approx(*status.val_loss));
  CHECK(metrics.attributes.at("labels") == "negative,positive");
  CHECK(metrics.train.back().tokens < 120 * 8 * 24);  // real tokens, not padded ones

  const LoadedRun run = load_run(dir);
  CHECK(run.labels == std::vector<std::string>{"negative", "positive"});
  std::vector<std::string> texts;
  std::vector<LabelledText> all;
  toy_reviews({}, [&](LabelledText text) { all.push_back(std::move(text)); });
  for (const PredictionRow& row : metrics.predictions)
    texts.push_back(all[static_cast<std::size_t>(row.text)].text);
  const Classification said = classify(run, texts, 2);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(static_cast<std::int64_t>(said.texts[i].label) == metrics.predictions[i].predicted);
    CHECK(said.texts[i].probabilities[said.texts[i].label] ==
          Approx(metrics.predictions[i].probability));
  }
  const Classification odd = classify(run, {"", "\xff\xff", "good film"}, 1);
  CHECK(odd.texts[0].probabilities == odd.texts[1].probabilities);  // [CLS] [SEP] both
  CHECK(odd.texts[2].tokens == 4);
  CHECK(error_of([&] { require_language_model(run, "generate"); }).find("bitlab classify") !=
        std::string::npos);
}

TEST_CASE("a run that classifies and is killed ends with the bytes of an undisturbed one",
          "[classification][worker][resume]") {
  const TestFolder folder;
  const fs::path calm = make_run(folder, "calm", toy_config(folder)),
                 killed = make_run(folder, "killed", toy_config(folder));
  run_with_kills(calm, killed);
  CHECK(final_weights(killed) == final_weights(calm));
  CHECK(metrics_text(killed) == metrics_text(calm));
  CHECK(scores_text(killed) == scores_text(calm));
}

TEST_CASE("a model begins with the parameters that are named", "[classification][pretrained]") {
  const TestFolder folder;
  const fs::path first = make_run(folder, "first", toy_config(folder));
  REQUIRE(wait_for(start_worker(first, 1)) == 0);
  const std::string from = "\n[model.ternary]\nexclude = [\"classifier\", \"pooler\"]\n";
  Spec spec = spec_of(folder, from);
  auto& config = dynamic_cast<BertConfig&>(*spec.model);
  config.pretrained = first.string();
  LanguageModel model = build_model(spec, 13, 9);
  CHECK(load_pretrained(spec, model).empty());
  const LoadedRun run = load_run(first);
  const View want = run.model->params().params()[0]->value, got = model.params().params()[0]->value;
  CHECK(std::equal(want.data, want.data + want.size(), got.data));

  config.labels = 3;  // another task: the classifier begins fresh
  LanguageModel other(build_bert(config, 13), 3, 24, 9);
  CHECK(load_pretrained(spec, other) ==
        std::vector<std::string>{"classifier.weight", "classifier.bias"});
  config.n_head = 4;
  CHECK(error_of([&] { load_pretrained(spec, other); }).find("model.n_head must be 2, but is 4") !=
        std::string::npos);
  config.n_head = 2;
  config.d_ff = 8;
  LanguageModel narrow(build_bert(config, 13), 3, 24, 9);
  CHECK(error_of([&] { load_pretrained(spec, narrow); }).find("blocks.0.ffn.w1.weight") !=
        std::string::npos);
  CHECK(error_of([] { find_pretrained("no/such/folder"); }).find("minilm") != std::string::npos);

  // Its weights are not those that it will end with.
  const std::string hash = find_pretrained(first.string()).sha256;
  fs::remove(first / "DONE");
  CHECK(error_of([&] { find_pretrained(first.string()); }).find("must be a run that is done") !=
        std::string::npos);
  CHECK(hash.size() == 64);
}

TEST_CASE("weights in several files are told by the hash of all", "[classification][pretrained]") {
  const TestFolder folder;
  const auto tensors = tensors_of(small(true, "pooler"), EncoderFamily::Bert);
  json index;
  const auto write = [&] {
    for (const std::size_t part : {0, 1}) {
      const std::string name = "model-" + std::to_string(part) + ".safetensors";
      std::vector<TensorBytes> some;
      for (std::size_t i = part; i < tensors.size(); i += 2) {
        some.push_back({tensors[i].name, DType::F32, tensors[i].shape, tensors[i].values.data()});
        index["weight_map"][tensors[i].name] = name;
      }
      write_safetensors(folder / name, some);
    }
    write_file_atomic(folder / "model.safetensors.index.json", index.dump());
    return find_pretrained(folder.path().string()).sha256;
  };
  write_file_atomic(folder / "config.json", bert_config());
  const std::string before = write();
  CHECK(write() == before);
  const std::size_t changed = GENERATE(0, 1);
  const_cast<float&>(tensors[changed].values[0]) += 1;
  CHECK(write() != before);
}

TEST_CASE("a run that begins with weights that fit does not diverge at its next batch",
          "[classification][worker]") {
  const TestFolder folder;
  const fs::path first = make_run(folder, "first", toy_config(folder));
  REQUIRE(wait_for(start_worker(first, 1)) == 0);
  const auto end_of = [&](const std::string& name, const std::string& lr) {
    std::string config = replaced(toy_config(folder), "lr = 5e-3", "lr = " + lr);
    config = replaced(config, "steps = 120", "steps = 40\ndiverged_factor = 2");
    config = replaced(config, "dropout = 0.05",
                      "dropout = 0.05\nvocab_size = 13\npretrained = \"" + first.string() + "\"");
    const fs::path dir = make_run(folder, name, config);
    wait_for(start_worker(dir, 1));
    return RunFolder(dir).status();
  };
  CHECK(end_of("still", "0.0").state == RunState::Done);
  const RunStatus wild = end_of("wild", "50.0");
  CHECK(wild.state == RunState::Failed);
  CHECK(wild.reason.starts_with("diverged"));
}

TEST_CASE("an arm names another as its teacher, and as what it begins with",
          "[classification][arms]") {
  const TestFolder folder;
  const auto toml = [&](const std::string& lr) {
    return toy_config(folder) + "\n[arms.full]\nmodel.linear = \"full\"\noptim.lr = " + lr +
           "\n[arms.student]\ntask.classification.teacher = \"arm:full\"\n"
           "[arms.control]\nmodel.pretrained = \"arm:full\"\nmodel.vocab_size = 13\n"
           "train.steps = 1\noptim.lr = 0.0\n";
  };
  const Project project(toml("5e-3"));
  const Experiment experiment = project.load();
  const Dataset data = open_dataset(experiment.spec().data);
  const Plan plan = make_plan(experiment, data, folder / "results", "");
  const std::vector<RunJob> jobs = jobs_of(plan, plan.runs());
  REQUIRE(jobs.size() == 9);  // seed by seed
  for (std::size_t full = 0; full < jobs.size(); full += 3) {
    CHECK(jobs[full].needs.empty());
    for (const std::size_t needy : {full + 1, full + 2})
      CHECK(jobs[needy].needs == std::vector<fs::path>{jobs[full].dir});
  }
  const auto hash_of = [](const Plan& p, const std::string& arm) {
    for (const PlannedArm& planned : p.arms)
      if (planned.base == arm) return planned.hash;
    return std::string();
  };
  {
    const Project changed(toml("4e-3"));  // another teacher makes another student
    const Plan other = make_plan(changed.load(), data, folder / "results", "");
    for (const char* arm : {"full", "student", "control"})
      CHECK(hash_of(other, arm) != hash_of(plan, arm));
    const Project less(toml("5e-3") + "[sweep]\nexclude = [\"arm=full seed=2\"]\n");
    CHECK_THAT(error_of([&] { make_plan(less.load(), data, folder / "less", ""); }),
               Catch::Contains("student with seed 2 needs"));
  }
  const auto dir_of = [&](std::size_t arm) {
    return folder / "results" / plan.arms[arm].dir / "seed-5";
  };
  for (std::size_t i = 0; i < 3; ++i)
    write_file_atomic(
        dir_of(i) / "config.toml",
        run_config(experiment.arms[i], with_run_folders(experiment.arms[i], plan, 5)));
  RunStatus failed;
  failed.state = RunState::Failed;
  RunFolder(dir_of(0)).set_status(failed);
  CHECK(wait_for(start_worker(dir_of(1), 1)) != 0);  // nobody trains its teacher
  CHECK(RunFolder(dir_of(1)).status().reason.find("must be finished first") != std::string::npos);
  std::filesystem::remove(dir_of(0) / "status.json");
  RunFolder(dir_of(0)).mark_queued(120);             // as the scheduler does
  const pid_t student = start_worker(dir_of(1), 1);  // waits for it, and for it to begin
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(wait_for(start_worker(dir_of(0), 1)) == 0);
  CHECK(wait_for(student) == 0);
  CHECK(*RunFolder(dir_of(1)).status().accuracy > 0.9);
  REQUIRE(wait_for(start_worker(dir_of(2), 1)) == 0);
  const LoadedRun full = load_run(dir_of(0)), control = load_run(dir_of(2));
  const View a = full.model->params().params()[0]->value,
             b = control.model->params().params()[0]->value;
  CHECK(std::equal(a.data, a.data + a.size(), b.data));  // made ternary, and not trained

  const auto refusal = [&](const std::string& arms) {
    const Project bad(toy_config(folder) + arms);
    return error_of([&] { make_plan(bad.load(), data, folder / "results", ""); });
  };
  CHECK(refusal("\n[arms.a]\ntask.classification.teacher = \"arm:b\"\n").find("'b' is none of a") !=
        std::string::npos);
  CHECK(refusal("\n[arms.a]\ntask.classification.teacher = \"arm:a\"\n").find("need themselves") !=
        std::string::npos);
}

TEST_CASE("all runs are judged by the same texts", "[classification]") {
  EvalConfig eval;
  eval.protocol = "random";
  eval.batches = 3;
  eval.train_batches = 2;
  const auto texts = judged_texts(1000, true, eval, 8, 1);
  CHECK(texts.size() == 24);
  CHECK(judged_texts(1000, true, eval, 8, 2) == texts);
  CHECK(judged_texts(1000, false, eval, 8, 1) != judged_texts(1000, false, eval, 8, 2));
}

}  // namespace bitlab
