// Students that learn the states of a teacher: relations of its attention, what its blocks give.
#include <cmath>
#include <cstring>

#include "core/ops/relations.h"
#include "experiments/dataset.h"
#include "experiments/run_folder.h"
#include "experiments/toy_encoder.h"
#include "experiments/toy_reviews.h"
#include "layers/models/wide_mlp.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

// Three texts, the longest first.
struct Texts {
  std::vector<std::int32_t> tokens;
  std::vector<std::size_t> begins = {0};
  Texts() {
    for (const std::size_t length : {20, 7, 1}) {
      for (std::size_t i = 0; i < length; ++i)
        tokens.push_back(static_cast<std::int32_t>((3 * i + length) % 13));
      begins.push_back(tokens.size());
    }
  }
};

TeacherAnswer answer_of(const Teacher& teacher, const Texts& texts) {
  TeacherAnswer answer;
  teacher.ask(texts.tokens, texts.begins, answer);
  return answer;
}

std::string student_config(const TestFolder& folder,
                           const fs::path& teacher,
                           const std::string& relations = "relation_weight = 0.5\n") {
  return toy_config(folder,
                    "[task.classification]\nteacher = \"" + teacher.string() + "\"\n" + relations);
}

// The loss of a step of the toy with and without what is learned of `teacher`'s states, apart, is
// `expected`, and a small step against the gradient lowers the whole by its square.
void check_step(const Teacher& teacher,
                const RelationSettings& relations,
                double hidden_weight,
                double expected) {
  const Texts texts;
  auto student = toy_model(toy_encoder(2, 16, 2), 1);
  TrainConfig train;
  train.batch_size = 3;
  train.shards = train.accumulate = 1;
  const auto source = [&](bool with) {
    return [&, with](std::uint64_t, std::size_t, std::size_t, Batch& batch) {
      batch.tokens = texts.tokens;
      batch.begins = texts.begins;
      batch.targets = {0, 1, 0};
      if (!with) return;
      batch.relations = relations;
      batch.hidden_weight = hidden_weight;
      teacher.ask(batch.tokens, batch.begins, batch.teacher);
      batch.teacher.logits.clear();  // states alone
    };
  };
  ThreadTeam team(1);
  TrainStep with(*student, train, 1, source(true)), without(*student, train, 1, source(false));
  const double both = with.run(0, team), plain = without.run(0, team);
  CHECK(both - plain == Approx(expected).epsilon(1e-4));
  const View values = student->params().values(), g = with.gradient();
  const double square = std::pow(with.gradient_norm(team), 2), length = 1e-3 / square;
  for (std::size_t i = 0; i < values.size(); ++i)
    values.data[i] -= static_cast<real>(length * g.data[i]);
  student->prepare(1);
  CHECK(both - with.run(0, team) == Approx(length * square).epsilon(0.1));
}

// What the toy says before it learns.
TeacherAnswer own_answer(const Texts& texts) {
  return answer_of(Teacher(toy_model(toy_encoder(2, 16, 2), 1), {.attention = -1, .blocks = true}),
                   texts);
}

}  // namespace

TEST_CASE("a step's loss has the relations, and its gradient comes down to them", "[relations]") {
  // Deeper and wider.
  const Teacher teacher(toy_model(toy_encoder(3, 24, 4), 9), {.attention = -1});
  const Texts texts;
  std::vector<real> wanted = answer_of(teacher, texts).states, own = own_answer(texts).states,
                    scratch(own.size());
  for (const std::int64_t heads : {0, 4}) {
    RelationSettings relations;
    relations.weight = 3;
    relations.heads = heads;
    // Weight 3, mean of 3 texts.
    check_step(teacher, relations, 0,
               relation_loss({own.data(), 28, 48}, {wanted.data(), 28, 72}, texts.begins.data(), 3,
                             heads ? 4 : 2, 0, {scratch.data(), 28, 48}));
  }
}

TEST_CASE("a step's loss has the hidden states, and its gradient comes down to them", "[hidden]") {
  const Teacher teacher(toy_model(toy_encoder(2, 16, 4), 9), {.blocks = true});
  const Texts texts;
  const TeacherAnswer wanted = answer_of(teacher, texts), own = own_answer(texts);
  double expected = 0;
  for (std::size_t block = 0; block < 2; ++block)
    for (std::size_t text = 0; text < 3; ++text) {
      const std::size_t begin = texts.begins[text] * 16, end = texts.begins[text + 1] * 16;
      double squares = 0;
      for (std::size_t i = begin; i < end; ++i)
        squares += std::pow(
            double(own.hidden.blocks[block][i]) - double(wanted.hidden.blocks[block][i]), 2);
      expected += squares / double(end - begin);
    }
  check_step(teacher, {}, 3, expected);  // weight 3, mean of 3 texts
}

TEST_CASE("a teacher of other blocks or another width cannot teach hidden states",
          "[hidden][errors]") {
  const auto refusal = [](const BertConfig& other) {
    const Teacher teacher(toy_model(other, 9), {.blocks = true});
    return error_of([&] { check_step(teacher, {}, 1, 0); });
  };
  for (const std::int64_t layers : {1, 4})
    CHECK_THAT(refusal(toy_encoder(layers, 16, 2)),
               Catch::Contains("teacher and model differ in blocks, but they have " +
                               std::to_string(layers) + " and 2"));
  CHECK_THAT(refusal(toy_encoder(2, 24, 2)),
             Catch::Contains("teacher and model differ in width, but they have 24 and 16"));
}

TEST_CASE("a teacher that tells other labels apart, or has no blocks, is refused",
          "[hidden][errors]") {
  auto student = toy_model(toy_encoder(1, 8, 2), 1);
  TrainConfig train;
  train.batch_size = 3;
  train.shards = train.accumulate = 1;
  std::size_t labels = 2;
  TrainStep step(*student, train, 1, [&](std::uint64_t, std::size_t, std::size_t, Batch& batch) {
    const Texts texts;
    batch.tokens = texts.tokens;
    batch.begins = texts.begins;
    batch.targets = {0, 1, 0};
    batch.teacher.logits.assign(3 * labels, 0.5f);
  });
  ThreadTeam team(1);
  CHECK(step.run(0, team) > 0);
  for (const std::size_t other : {1, 3}) {
    labels = other;
    CHECK_THAT(error_of([&] { step.run(0, team); }),
               Catch::Contains("as many labels apart as the model, 2 of each of 3 texts"));
  }
  WideMlpConfig words;
  const Teacher teacher(std::make_unique<LanguageModel>(build_wide_mlp(words, 13), 2, 24, 1),
                        {.blocks = true});
  CHECK_THAT(error_of([&] { answer_of(teacher, Texts()); }), Catch::Contains("has none"));
}

TEST_CASE("runs that learn a teacher's states have the same bytes for any threads and after kills",
          "[relations][hidden][worker][resume]") {
  const TestFolder folder;
  const fs::path teacher = make_run(folder, "teacher", toy_config(folder));
  REQUIRE(wait_for(start_worker(teacher, 1)) == 0);
  const auto student = [&](const std::string& name, const std::string& states) {
    return make_run(folder, name, student_config(folder, teacher, states));
  };
  const fs::path other = student("other", "");
  REQUIRE(wait_for(start_worker(other, 2)) == 0);
  for (const std::string kind : {"relation", "hidden"}) {
    const fs::path calm = student(kind + "-calm", kind + "_weight = 0.5\n"),
                   killed = student(kind + "-killed", kind + "_weight = 0.5\n");
    run_with_kills(calm, killed);
    CHECK(final_weights(killed) == final_weights(calm));
    CHECK(metrics_text(killed) == metrics_text(calm));
    CHECK(final_weights(other) != final_weights(calm));
    CHECK(*RunFolder(calm).status().accuracy > 0.9);
    CHECK(read_metrics(calm / "metrics.h5").train.front().loss >
          read_metrics(other / "metrics.h5").train.front().loss + 0.1);  // of states
  }
}

TEST_CASE("states that are not learned do not enter a run's id", "[relations][hidden]") {
  const TestFolder folder;
  const auto text = [&](const std::string& relations) {
    Spec spec = load_run_spec(
        make_run(folder, "spec", student_config(folder, "arm:full", relations)) / "config.toml");
    return canonical_text(list_fields(spec));
  };
  CHECK(text("") == text("relation_heads = 4\n"));
  CHECK(text("").find("relation") == std::string::npos);
  CHECK(text("relation_weight = 1.0\n") != text("relation_weight = 1.0\nrelation_heads = 4\n"));
  CHECK(text("relation_weight = 1.0\n") != text(""));
  CHECK(text("").find("hidden") == std::string::npos);
  CHECK(text("hidden_weight = 1.0\n") != text(""));
}

TEST_CASE("settings of relations that do not go together are refused", "[relations][errors]") {
  const TestFolder folder;
  const auto refusal = [&](const std::string& relations, const std::string& teacher = "arm:full") {
    const std::string config = student_config(folder, teacher, relations);
    return error_of([&] { load_run_spec(make_run(folder, "bad", config) / "config.toml"); });
  };
  const auto says = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  says(refusal("relation_weight = 1.0\n", ""), "must be 0 without a teacher");
  says(refusal("hidden_weight = 1.0\n", ""), "must be 0 without a teacher");
  says(refusal("relation_weight = 1.0\nrelation_layer = 1\n"), "more than");
  says(refusal("relation_weight = 1.0\nrelation_heads = 5\n"), "must be a multiple of");
  CHECK(refusal("relation_weight = 1.0\nrelation_heads = 4\n").empty());
}

}  // namespace bitlab
