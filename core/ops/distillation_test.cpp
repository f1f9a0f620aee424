// The loss of a student, against its definition and by differences.
#include "core/ops/distillation.h"

#include <cmath>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"

using namespace bitlab;

namespace {

std::vector<double> softmax(const std::vector<double>& x, double temperature) {
  std::vector<double> p;
  double sum = 0;
  for (const double v : x) sum += std::exp(v / temperature);
  for (const double v : x) p.push_back(std::exp(v / temperature) / sum);
  return p;
}

double naive(const std::vector<double>& z,
             const std::vector<float>& teacher,
             std::size_t target,
             const Distillation& d) {
  const auto p = softmax(z, 1), q = softmax(z, d.temperature),
             t = softmax({teacher.begin(), teacher.end()}, d.temperature);
  double loss = -std::log(p[target]);
  for (std::size_t i = 0; i < z.size(); ++i)
    loss += d.weight * d.temperature * d.temperature * t[i] * std::log(t[i] / q[i]);
  return loss;
}

}  // namespace

TEST_CASE("a student's loss and gradient are those of their formula", "[distillation]") {
  const std::vector<double> z = {0.3, -1.2, 2.0};
  const std::vector<float> teacher = {1.5f, 0.5f, -0.7f};
  for (const double weight : {0.0, 0.5, 3.0})
    for (const double temperature : {1.0, 2.0, 5.0})
      for (std::int32_t target = 0; target < 3; ++target) {
        const Distillation d{weight, temperature};
        std::vector<real> logits(z.begin(), z.end());
        const double loss =
            distillation_loss({logits.data(), 1, 3}, &target, teacher.data(), d, 0.5);
        CHECK(loss == Approx(naive(z, teacher, std::size_t(target), d)).epsilon(1e-6));
        for (std::size_t i = 0; i < 3; ++i) {
          auto up = z, down = z;
          up[i] += 1e-5;
          down[i] -= 1e-5;
          const double slope = (naive(up, teacher, std::size_t(target), d) -
                                naive(down, teacher, std::size_t(target), d)) /
                               2e-5;
          CHECK(logits[i] == Approx(0.5 * slope).margin(1e-6));
        }
      }
}

TEST_CASE("a student that says what its teacher says loses its cross-entropy alone",
          "[distillation]") {
  std::vector<real> logits = {1, 2, 1, 2};
  const std::vector<float> teacher = {1, 2, 1, 2};
  const std::int32_t targets[] = {0, 1};
  const double loss = distillation_loss({logits.data(), 2, 2}, targets, teacher.data(), {10, 3}, 1);
  CHECK(loss == Approx(2 * std::log(1 + std::exp(-1)) + 1));
  const std::int32_t wrong[] = {0, 2};
  CHECK_THROWS_AS(distillation_loss({logits.data(), 2, 2}, wrong, teacher.data(), {1, 1}, 1),
                  Error);
}
