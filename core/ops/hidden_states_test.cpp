// The loss of hidden states, against its definition and by differences.
#include "core/ops/hidden_states.h"

#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

using namespace bitlab;

namespace {

std::vector<real> random_values(std::size_t n, const char* purpose) {
  std::vector<real> values(n);
  Rng(1, purpose).fill_normal(1, values.data(), n);
  return values;
}

double naive(const std::vector<real>& student,
             const std::vector<real>& teacher,
             const std::vector<std::size_t>& begins,
             std::size_t width) {
  double total = 0;
  for (std::size_t text = 0; text + 1 < begins.size(); ++text) {
    double sum = 0;
    for (std::size_t i = begins[text] * width; i < begins[text + 1] * width; ++i)
      sum += (double(student[i]) - double(teacher[i])) * (double(student[i]) - double(teacher[i]));
    total += sum / double((begins[text + 1] - begins[text]) * width);
  }
  return total;
}

}  // namespace

TEST_CASE("the loss of hidden states and its gradient are those of their formula", "[hidden]") {
  const std::vector<std::size_t> begins = {0, 5, 6, 9};
  constexpr std::size_t kRows = 9, kWidth = 7;
  std::vector<real> student = random_values(kRows * kWidth, "student"),
                    teacher = random_values(kRows * kWidth, "teacher"),
                    gradient(student.size(), real(0.25));
  const double loss =
      hidden_state_loss({student.data(), kRows, kWidth}, {teacher.data(), kRows, kWidth},
                        begins.data(), 3, 0.5, {gradient.data(), kRows, kWidth});
  CHECK(loss == Approx(naive(student, teacher, begins, kWidth)).epsilon(1e-5));
  for (std::size_t i = 0; i < student.size(); ++i) {
    const real before = student[i];
    student[i] = before + real(0.125);  // a square: differences are exact at any distance
    const double up = naive(student, teacher, begins, kWidth);
    student[i] = before - real(0.125);
    const double down = naive(student, teacher, begins, kWidth);
    student[i] = before;
    CHECK(gradient[i] - 0.25 ==
          Approx(0.5 * (up - down) / 0.25).margin(sizeof(real) == 8 ? 1e-12 : 1e-6));
  }
}

TEST_CASE("hidden states of other shapes are refused", "[hidden][errors]") {
  std::vector<real> a(24), b(24), d(24);
  const std::size_t begins[] = {0, 4};
  const std::size_t too_short[] = {0, 3};
  CHECK_THROWS_AS(
      hidden_state_loss({a.data(), 4, 6}, {b.data(), 4, 6}, too_short, 1, 1, {d.data(), 4, 6}),
      Error);
  CHECK_THROWS_AS(
      hidden_state_loss({a.data(), 4, 6}, {b.data(), 6, 4}, begins, 1, 1, {d.data(), 4, 6}), Error);
  CHECK_THROWS_AS(
      hidden_state_loss({a.data(), 4, 6}, {b.data(), 4, 6}, begins, 1, 1, {d.data(), 3, 6}), Error);
}
