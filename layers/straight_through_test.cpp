// BitLinear against its definition: see surrogate.h.
#include <vector>

#include "core/base/catch.h"
#include "layers/surrogate.h"

using namespace bitlab;

TEST_CASE("BitLinear equals its definition forward, and its straight-through surrogate backward",
          "[layers][grad][bitlinear]") {
  size_t examples = 0;
  for (const LayerExample& example : layer_examples()) {
    if (example.kind != LayerExample::Kind::StraightThrough) continue;
    ++examples;
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const std::vector<real> y = problem.outputs();
    const Surrogate surrogate(problem, example);
    const Surrogate::Values want = surrogate.outputs();
    REQUIRE(y.size() == want.size());
    INFO(example.name);
    for (size_t i = 0; i < y.size(); ++i)
      REQUIRE(y[i] == Approx(want[i]).epsilon(1e-10).margin(1e-10));
    if (example.config.straight_through == "clipped") CHECK(surrogate.clamped() > 0);
    const GradientReport report = check_gradients(problem, [&] {
      const Surrogate::Values out = surrogate.outputs();
      return problem.loss({out.begin(), out.end()});
    });
    INFO(report.where);
    CHECK(report.worst < 1e-6);
  }
  CHECK(examples >= 40);
}
