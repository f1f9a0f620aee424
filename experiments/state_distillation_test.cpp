// Students that learn the relations of a teacher's attention.
#include "experiments/relation_distillation.h"

#include <cmath>
#include <cstring>

#include "core/ops/relations.h"
#include "experiments/dataset.h"
#include "experiments/run_folder.h"
#include "experiments/toy_encoder.h"
#include "experiments/toy_reviews.h"

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

std::vector<real> states_of(const Teacher& teacher, const Texts& texts) {
  TeacherAnswer answer;
  teacher.ask(texts.tokens, texts.begins, answer);
  return answer.states;
}

std::string student_config(const TestFolder& folder,
                           const fs::path& teacher,
                           const std::string& relations = "relation_weight = 0.5\n") {
  return toy_config(folder,
                    "[task.classification]\nteacher = \"" + teacher.string() + "\"\n" + relations);
}

}  // namespace

TEST_CASE("a step's loss has the relations, and its gradient comes down to them", "[relations]") {
  const Teacher teacher(toy_model(toy_encoder(3, 24, 4), 9), -1);  // deeper and wider
  const Texts texts;
  for (const std::int64_t heads : {0, 4}) {
    RelationSettings relations;
    relations.weight = 3;
    relations.heads = heads;
    auto student = toy_model(toy_encoder(2, 16, 2), 1);
    TrainConfig train;
    train.batch_size = 3;
    train.shards = train.accumulate = 1;
    const auto source = [&](bool with) {
      return [&, with](std::uint64_t, std::size_t, std::size_t, Batch& batch) {
        batch.tokens = texts.tokens;
        batch.begins = texts.begins;
        batch.targets = {0, 1, 0};
        batch.relations = relations;
        if (!with) return;
        teacher.ask(batch.tokens, batch.begins, batch.teacher);
        batch.teacher.logits.clear();  // relations alone
      };
    };
    ThreadTeam team(1);
    TrainStep with(*student, train, 1, source(true)), without(*student, train, 1, source(false));
    const auto loss_of_relations = [&] {
      const auto wanted = states_of(teacher, texts);
      std::vector<real> own = states_of(Teacher(toy_model(toy_encoder(2, 16, 2), 1), -1), texts);
      std::vector<real> scratch(own.size());
      return relation_loss({own.data(), 28, 48}, {const_cast<real*>(wanted.data()), 28, 72},
                           texts.begins.data(), 3, heads ? 4 : 2, 0, {scratch.data(), 28, 48});
    };
    const double both = with.run(0, team), plain = without.run(0, team);
    CHECK(both - plain == Approx(loss_of_relations()).epsilon(1e-4));  // weight 3, mean of 3
    // A small step against the gradient lowers the loss by its square.
    const View values = student->params().values(), g = with.gradient();
    const double square = std::pow(with.gradient_norm(team), 2), length = 1e-3 / square;
    for (std::size_t i = 0; i < values.size(); ++i)
      values.data[i] -= static_cast<real>(length * g.data[i]);
    student->prepare(1);
    CHECK(both - with.run(0, team) == Approx(length * square).epsilon(0.1));
  }
}

TEST_CASE("runs that learn relations have the same bytes for any threads and after kills",
          "[relations][worker][resume]") {
  const TestFolder folder;
  const fs::path teacher = make_run(folder, "teacher", toy_config(folder));
  REQUIRE(wait_for(start_worker(teacher, 1)) == 0);
  const fs::path calm = make_run(folder, "calm", student_config(folder, teacher)),
                 killed = make_run(folder, "killed", student_config(folder, teacher)),
                 other = make_run(folder, "other", student_config(folder, teacher, ""));
  run_with_kills(calm, killed);
  CHECK(final_weights(killed) == final_weights(calm));
  CHECK(metrics_text(killed) == metrics_text(calm));
  REQUIRE(wait_for(start_worker(other, 2)) == 0);
  CHECK(final_weights(other) != final_weights(calm));
  CHECK(*RunFolder(calm).status().accuracy > 0.9);
  CHECK(read_metrics(calm / "metrics.h5").train.front().loss >
        read_metrics(other / "metrics.h5").train.front().loss + 0.3);  // of relations
}

TEST_CASE("relations that are turned off do not enter a run's id", "[relations]") {
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
  says(refusal("relation_weight = 1.0\nrelation_layer = 1\n"), "more than");
  says(refusal("relation_weight = 1.0\nrelation_heads = 5\n"), "must be a multiple of");
  CHECK(refusal("relation_weight = 1.0\nrelation_heads = 4\n").empty());
}

}  // namespace bitlab
