#include "experiments/teacher.h"

#include <cmath>
#include <cstring>
#include <thread>

#include "core/base/catch.h"
#include "core/simd/call_time.h"
#include "experiments/classification_task.h"
#include "experiments/dataset.h"
#include "experiments/footprint.h"
#include "experiments/step_time.h"
#include "experiments/text_batches.h"
#include "experiments/time_estimate.h"
#include "experiments/toy_encoder.h"
#include "experiments/toy_reviews.h"

namespace bitlab {
namespace {

std::unique_ptr<LanguageModel> encoder() { return toy_model(toy_encoder(2, 16, 2), 1); }

// Of 1 to 24 tokens, more than one pass has room for.
LabelledTokens texts() {
  LabelledTokens texts;
  for (int i = 0; i < 120; ++i) {
    std::vector<std::int32_t> tokens;
    for (int t = 0; t <= (i * 7) % 24; ++t) tokens.push_back((3 * t + i) % 13);
    texts.add(tokens, i % 2, i);
  }
  return texts;
}

// The texts asked for together.
TeacherAnswer answer_to_all(const Teacher& teacher, const LabelledTokens& texts) {
  std::vector<std::int32_t> tokens;
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < texts.size(); ++i) append_text(texts.tokens_of(i), tokens, begins);
  TeacherAnswer answer;
  teacher.ask(tokens, begins, answer);
  return answer;
}

// What the model itself says of them, one row after another.
std::vector<float> logits_of(const LanguageModel& model, const LabelledTokens& texts) {
  std::vector<std::span<const std::int32_t>> tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) tokens.push_back(texts.tokens_of(i));
  ThreadTeam team(1);
  std::vector<float> all;
  for (const auto& row : label_logits(model, tokens, team))
    all.insert(all.end(), row.begin(), row.end());
  return all;
}

}  // namespace

TEST_CASE("a teacher says the same of a text in any company", "[teacher]") {
  const LabelledTokens some = texts();
  const std::vector<float> expected = logits_of(*encoder(), some);
  for (const std::int64_t layer : {-1, 0, 1}) {
    const Teacher teacher(encoder(), {.attention = layer, .blocks = true});
    CHECK(teacher.states_width() == 48);
    const TeacherAnswer all = answer_to_all(teacher, some);
    CHECK(all.logits == expected);
    REQUIRE(all.states.size() == some.tokens() * 48);
    REQUIRE(all.hidden.blocks.size() == 2);
    REQUIRE(all.hidden.of(1).rows == some.tokens());
    const real* states = all.states.data();
    std::size_t row = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      const auto text = some.tokens_of(i);
      TeacherAnswer alone;
      teacher.ask({text.begin(), text.end()}, {0, text.size()}, alone);
      REQUIRE(std::memcmp(alone.states.data(), states, text.size() * 48 * sizeof(real)) == 0);
      for (std::size_t block = 0; block < 2; ++block)
        REQUIRE(std::memcmp(alone.hidden.of(block).data, all.hidden.of(block).row(row),
                            text.size() * 16 * sizeof(real)) == 0);
      states += text.size() * 48;
      row += text.size();
    }
  }
}

TEST_CASE("a teacher's states are those of the layer that is named", "[teacher]") {
  const LabelledTokens some = texts();
  const auto states = [&](std::int64_t layer) {
    return answer_to_all(Teacher(encoder(), {.attention = layer}), some).states;
  };
  CHECK(states(-1) == states(1));
  CHECK(states(-1) != states(0));
  const TeacherAnswer logits = answer_to_all(Teacher(encoder()), some);
  CHECK(logits.states.empty());
  CHECK(logits.hidden.blocks.empty());
  CHECK(error_of([] { Teacher(encoder(), {.attention = 2}); }).find("the teacher has 2") !=
        std::string::npos);
}

TEST_CASE("logits are remembered, whoever asks for them first", "[teacher]") {
  const LabelledTokens some = texts();
  const std::vector<float> expected = logits_of(*encoder(), some);
  RememberedLogits remembered(std::make_shared<const Teacher>(encoder()), some);
  // Two threads ask for all, from either end, the one thrice at a time; then one asks again.
  const auto ask = [&](bool backward, std::size_t at_once) {
    for (std::size_t first = 0; first < some.size(); first += at_once) {
      std::vector<std::size_t> which;
      for (std::size_t i = first; i < std::min(first + at_once, some.size()); ++i)
        which.push_back(backward ? some.size() - 1 - i : i);
      std::vector<float> logits;
      remembered.ask(which, logits);
      for (std::size_t b = 0; b < which.size(); ++b) {
        if (logits[2 * b] == expected[2 * which[b]] &&
            logits[2 * b + 1] == expected[2 * which[b] + 1])
          continue;
        return false;
      }
    }
    return true;
  };
  bool other = false;
  std::thread thread([&] { other = ask(true, 1); });
  CHECK(ask(false, 3));
  thread.join();
  CHECK(other);
  CHECK(ask(false, 7));
}

TEST_CASE("a plan counts the passes of a teacher, and its weights", "[teacher][plan]") {
  const TestFolder folder;
  const auto spec = [&](const std::string& task) {
    return spec_of(folder, "[task.classification]\n" + task);
  };
  const Spec alone = spec(""), logits = spec("teacher = \"x\"\n"),
             relations = spec("teacher = \"x\"\nrelation_weight = 1.0\n"),
             hidden = spec("teacher = \"x\"\nhidden_weight = 1.0\n");
  const DataFacts facts = open_dataset(alone.data).facts;
  const auto flops = [&](const Spec& s, std::int64_t from) { return run_flops(s, 1, facts, from); };
  // 120 steps of 8 texts; 200 texts are there to be asked about.
  const double epoch = 200 * facts.lengths.mean, all = 120 * 8 * facts.lengths.mean;
  CHECK(flops(logits, 0) - flops(alone, 0) == Approx(epoch / 3));
  CHECK(flops(relations, 0) - flops(alone, 0) == Approx(all / 3));
  CHECK(flops(hidden, 0) == flops(relations, 0));
  CHECK(flops(logits, 110) - flops(alone, 110) == Approx(10 * 8 * facts.lengths.mean / 3));
  const Footprint without = footprint(alone, 13, facts.lengths),
                  with = footprint(logits, 13, facts.lengths);
  CHECK(without.teacher_bytes == 0);
  CHECK(with.training_bytes - without.training_bytes == with.teacher_bytes);
  CHECK(with.teacher_bytes > with.params * sizeof(real));
  // A row a token of each of its blocks, of all texts of the largest pass.
  const Footprint states = footprint(hidden, 13, facts.lengths);
  const double rows = 8 * std::ceil(facts.lengths.in_largest_pass(hidden.train, 24));
  CHECK(static_cast<double>(states.teacher_bytes - with.teacher_bytes) == rows * 16 * sizeof(real));
}

TEST_CASE("a teacher's passes take a third of a step's products", "[teacher][plan]") {
  const TestFolder folder;
  const auto spec = [&](const std::string& task) {
    return spec_of(folder, "[task.classification]\n" + task);
  };
  const Spec alone = spec(""), taught = spec("teacher = \"x\"\n");
  const TextLengths lengths = open_dataset(alone.data).facts.lengths;
  const auto by_flops = [](const simd::KernelCall& call) { return simd::call_flops(call); };
  std::vector<StepKind> kinds;
  const Footprint size = footprint(taught, 13, lengths, &kinds);
  const StepTime step = step_time(taught, size, kinds, 1, by_flops);
  CHECK(teacher_seconds(taught, 13, lengths, 1, by_flops) ==
        Approx(step.products / 3).epsilon(0.02));
  CHECK(teacher_seconds(alone, 13, lengths, 1, by_flops) == 0);
}

}  // namespace bitlab
