// Every layer's backward against central differences of its forward, in double precision.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/ops/hidden_states.h"
#include "core/ops/relations.h"
#include "layers/attention.h"
#include "layers/block_output.h"
#include "layers/examples.h"
#include "layers/gradient_check.h"
#include "layers/models/registry.h"

using namespace bitlab;

static_assert(sizeof(real) == 8, "central differences need the double build");

TEST_CASE("backward of every exact layer is the derivative of its forward", "[layers][grad]") {
  for (const LayerExample& example : layer_examples()) {
    if (example.kind != LayerExample::Kind::Exact) continue;
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const GradientReport report = check_gradients(problem);
    INFO(example.name << ", " << report.where);
    CHECK(report.compared == problem.x.size() + problem.store.size());
    CHECK(report.worst < 1e-6);
  }
}

TEST_CASE("backward of an in-place ternary layer is the derivative at the ternary point",
          "[layers][grad]") {
  size_t checked = 0;
  for (const LayerExample& example : layer_examples()) {
    if (example.kind != LayerExample::Kind::InPlace) continue;
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const GradientReport report =
        check_gradients(problem, [&] { return problem.loss(problem.outputs()); });
    INFO(example.name << ", " << report.where);
    CHECK(report.compared == problem.x.size() + problem.store.size());
    CHECK(report.worst < 1e-6);
    ++checked;
  }
  CHECK(checked == 1);
}

TEST_CASE("backward of passes with sequences of various lengths is the derivative",
          "[layers][grad]") {
  size_t checked = 0;
  for (const LayerExample& example : layer_examples()) {
    const std::set<std::string> of_sequences = {"bert", "gpt", "Embedding", "Pooler",
                                                "SelfAttention"};
    if (example.kind != LayerExample::Kind::Exact ||
        of_sequences.count(example.class_name()) == 0 ||
        example.name.find("rotary") != std::string::npos)
      continue;
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.set_lengths({4, 1, 5});
    problem.prepare();
    const GradientReport report = check_gradients(problem);
    INFO(example.name << ", " << report.where);
    CHECK(report.compared == problem.x.size() + problem.store.size());
    CHECK(report.worst < 1e-6);
    ++checked;
  }
  CHECK(checked >= 20);
}

TEST_CASE("backward of a head that reads some of the rows is the derivative", "[layers][grad]") {
  size_t checked = 0;
  for (const LayerExample& example : layer_examples()) {
    if (example.class_name() != "PickedRows" && example.name.find("masked") == std::string::npos)
      continue;
    for (const std::vector<size_t>& rows : {std::vector<size_t>{1, 4, 7}, {9}, {}}) {
      GradientProblem problem(example.make(), example.in, example.vocab);
      problem.set_lengths({4, 1, 5});
      problem.pass.picked = &rows;
      problem.prepare();
      CHECK(problem.outputs().size() % std::max<size_t>(1, rows.size()) == 0);
      CHECK(problem.output_rows == rows.size());
      if (rows.empty()) continue;
      const GradientReport report = check_gradients(problem);
      INFO(example.name << ", " << report.where);
      CHECK(report.worst < 1e-6);
      ++checked;
    }
  }
  CHECK(checked == 6);
}

// The gradient of the problem's loss and of what `tap` adds to it.
template <class Tap>
void check_with_tap(GradientProblem& problem, const Tap& tap) {
  const GradientReport report = check_gradients(problem, [&] {
    const double loss = problem.loss(problem.outputs());
    return loss + tap.loss;
  });
  INFO(report.where);
  CHECK(report.worst < 1e-6);
  CHECK(tap.loss > 0);
}

// Adds the loss of relations to a random teacher's.
class TeacherTap : public AttentionTap {
 public:
  TeacherTap(const SelfAttention& layer, size_t rows, size_t cols)
      : AttentionTap(layer), teacher_(rows * cols), scratch_(rows * cols), cols_(cols) {
    Rng(11, "teacher").fill_normal(1, teacher_.data(), teacher_.size());
  }
  void on_forward(View qkv, const Pass& pass) override {
    loss =
        relation_loss(qkv, like(qkv, teacher_), pass.begins, pass.batch, 4, 1, like(qkv, scratch_));
  }
  void on_backward(View qkv, View dqkv, const Pass& pass) override {
    relation_loss(qkv, like(qkv, teacher_), pass.begins, pass.batch, 4, 1, dqkv);
  }
  double loss = 0;

 private:
  View like(View qkv, std::vector<real>& memory) const { return {memory.data(), qkv.rows, cols_}; }
  std::vector<real> teacher_, scratch_;
  size_t cols_;
};

TEST_CASE("what is learned of one attention layer beside the model's loss goes on backward",
          "[layers][grad]") {
  for (const bool recomputed : {false, true})
    for (const size_t layer : {0, 1}) {
      BertConfig config = small_bert("full");
      config.checkpoint = recomputed;
      GradientProblem problem(build_bert(config, 7), 0, 7);
      problem.set_lengths({4, 1, 5});
      const auto layers = self_attention_layers(*problem.layer);
      REQUIRE(layers.size() == 2);
      TeacherTap tap(*layers[layer], 10, 24);
      problem.pass.tap = &tap;
      check_with_tap(problem, tap);
    }
}

// Adds the distance from random states of blocks.
class HiddenTeacher : public BlockTap {
 public:
  HiddenTeacher(size_t rows, size_t cols) : teacher_(rows * cols), scratch_(rows * cols) {
    Rng(11, "teacher").fill_normal(1, teacher_.data(), teacher_.size());
  }
  void on_forward(size_t block, View x, const Pass& pass) override {
    if (block == 0) loss = 0;
    loss += distance(block, x, like(x, scratch_), pass);
  }
  void on_backward(size_t block, View x, View dx, const Pass& pass) override {
    distance(block, x, dx, pass);
  }
  double loss = 0;

 private:
  static View like(View x, std::vector<real>& memory) { return {memory.data(), x.rows, x.cols}; }
  double distance(size_t block, View x, View dx, const Pass& pass) {
    const double weight = static_cast<double>(block + 1);  // another one for each
    return weight * hidden_state_loss(x, like(x, teacher_), pass.begins, pass.batch, weight, dx);
  }
  std::vector<real> teacher_, scratch_;
};

TEST_CASE("what is learned of blocks beside the model's loss goes on backward", "[layers][grad]") {
  for (const bool recomputed : {false, true}) {
    BertConfig config = small_bert("full");
    config.checkpoint = recomputed;
    GradientProblem problem(build_bert(config, 7), 0, 7);
    problem.set_lengths({4, 1, 5});
    HiddenTeacher tap(10, static_cast<size_t>(config.d_model));
    problem.pass.block_tap = &tap;
    check_with_tap(problem, tap);
  }
}

TEST_CASE("the gradient check finds a wrong gradient", "[layers][grad]") {
  // A layer whose backward forgets a factor of one percent.
  struct Wrong : Layer {
    View forward(View x, Pass& pass) const override {
      const View y = pass.arena.matrix(x.rows, x.cols);
      for (size_t i = 0; i < x.size(); ++i) y.data[i] = x.data[i] * x.data[i];
      pass.saved.push(x);
      return y;
    }
    View backward(View dy, Pass& pass) const override {
      const View x = pass.saved.pop();
      for (size_t i = 0; i < x.size(); ++i) dy.data[i] *= real(1.98) * x.data[i];
      return dy;
    }
    void visit_params(const std::string&, const ParamVisitor&) override {}
    std::string describe() const override { return "wrong"; }
  };
  GradientProblem problem(std::make_unique<Wrong>(), 3, 0);
  const GradientReport report = check_gradients(problem);
  CHECK(report.worst > 5e-3);
  CHECK(report.worst < 2e-2);
}

TEST_CASE("every class of layers/ and every model is enrolled in the gradient check",
          "[layers][grad]") {
  std::set<std::string> enrolled;
  for (const LayerExample& example : layer_examples()) enrolled.insert(example.class_name());
  const char* source = std::getenv("BITLAB_SOURCE_DIR");
  const std::filesystem::path root = source ? source : ".";
  const std::regex declaration(R"(^class (\w+)( final)? : public Layer\b)");
  size_t classes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "layers")) {
    if (entry.path().extension() != ".h") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);)
      if (std::regex_search(line, match, declaration)) {
        INFO(match[1].str() + " of " + entry.path().string() +
             " must have an entry in layers/examples.cpp");
        CHECK(enrolled.count(match[1]) == 1);
        ++classes;
      }
  }
  CHECK(classes >= 11);  // of the first day; none may be hidden from the pattern
  for (const std::string& model : models().names()) {
    INFO("model " + model);
    CHECK(enrolled.count(model) == 1);
  }
}
