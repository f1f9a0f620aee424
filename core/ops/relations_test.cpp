// The relations of attention, against their definition and by differences.
#include "core/ops/relations.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

using namespace bitlab;

namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix random_matrix(std::size_t rows, std::size_t cols, const char* purpose) {
  Matrix m(rows, std::vector<double>(cols));
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) m[r][c] = Rng(1, purpose).normal(r, c);
  return m;
}

std::vector<real> flat(const Matrix& m) {
  std::vector<real> all;
  for (const auto& row : m) all.insert(all.end(), row.begin(), row.end());
  return all;
}

// Row t of softmax(A A^T / sqrt(d)) for columns [col, col + d) of rows [begin, end).
std::vector<double> relations(const Matrix& m,
                              std::size_t begin,
                              std::size_t end,
                              std::size_t col,
                              std::size_t d,
                              std::size_t t) {
  std::vector<double> p;
  double total = 0;
  for (std::size_t s = begin; s < end; ++s) {
    double score = 0;
    for (std::size_t i = col; i < col + d; ++i) score += m[t][i] * m[s][i];
    p.push_back(std::exp(score / std::sqrt(double(d))));
    total += p.back();
  }
  for (double& x : p) x /= total;
  return p;
}

double naive(const Matrix& student,
             const Matrix& teacher,
             const std::vector<std::size_t>& begins,
             std::size_t heads) {
  double total = 0;
  for (std::size_t text = 0; text + 1 < begins.size(); ++text)
    for (std::size_t part = 0; part < 3; ++part)
      for (std::size_t head = 0; head < heads; ++head)
        for (std::size_t t = begins[text]; t < begins[text + 1]; ++t) {
          const std::size_t d = student[0].size() / 3 / heads, e = teacher[0].size() / 3 / heads;
          const auto p = relations(student, begins[text], begins[text + 1],
                                   (part * heads + head) * d, d, t),
                     q = relations(teacher, begins[text], begins[text + 1],
                                   (part * heads + head) * e, e, t);
          for (std::size_t s = 0; s < p.size(); ++s)
            total +=
                q[s] * std::log(q[s] / p[s]) / double(heads * (begins[text + 1] - begins[text]));
        }
  return total;
}

}  // namespace

TEST_CASE("the loss of relations and its gradient are those of their formula", "[relations]") {
  const std::vector<std::size_t> begins = {0, 5, 6, 9};
  for (const std::size_t heads : {1, 2, 4})
    for (const std::size_t width : {8, 12}) {  // of the teacher
      Matrix student = random_matrix(9, 24, "student");
      const Matrix teacher = random_matrix(9, 3 * width, "teacher");
      std::vector<real> a = flat(student), b = flat(teacher), da(a.size(), real(0.25));
      const double loss = relation_loss({a.data(), 9, 24}, {b.data(), 9, 3 * width}, begins.data(),
                                        3, heads, 0.5, {da.data(), 9, 24});
      CHECK(loss == Approx(naive(student, teacher, begins, heads)).epsilon(1e-5));
      for (std::size_t r = 0; r < 9; ++r)
        for (std::size_t c = 0; c < 24; ++c) {
          const double before = student[r][c];
          student[r][c] = before + 1e-5;
          const double up = naive(student, teacher, begins, heads);
          student[r][c] = before - 1e-5;
          const double down = naive(student, teacher, begins, heads);
          student[r][c] = before;
          CHECK(da[r * 24 + c] - 0.25 ==
                Approx(0.5 * (up - down) / 2e-5).margin(sizeof(real) == 8 ? 1e-8 : 2e-6));
        }
    }
}

TEST_CASE("relations of a teacher that is the student cost nothing", "[relations]") {
  std::vector<real> a = flat(random_matrix(70, 24, "student")), da(a.size());
  const std::size_t begins[] = {0, 1, 70};
  const View student{a.data(), 70, 24}, gradient{da.data(), 70, 24};
  CHECK(relation_loss(student, student, begins, 2, 2, 1, gradient) == 0);
  for (const real g : da) CHECK(g == 0);
}

TEST_CASE("a text's relations have the same bits whatever stands beside it", "[relations]") {
  std::vector<real> a = flat(random_matrix(50, 24, "student")),
                    b = flat(random_matrix(50, 24, "teacher")), all(a.size()), alone(a.size());
  const std::size_t begins[] = {0, 33, 50}, second[] = {0, 17};
  const auto rows = [](std::vector<real>& m, std::size_t first, std::size_t count) {
    return View{m.data() + first * 24, count, 24};
  };
  relation_loss(rows(a, 0, 50), rows(b, 0, 50), begins, 2, 4, 0.1, rows(all, 0, 50));
  relation_loss(rows(a, 33, 17), rows(b, 33, 17), second, 1, 4, 0.1, rows(alone, 33, 17));
  CHECK(std::memcmp(&all[33 * 24], &alone[33 * 24], 17 * 24 * sizeof(real)) == 0);
}

TEST_CASE("relations of widths that heads do not divide are refused", "[relations][errors]") {
  std::vector<real> a(2 * 24), b(2 * 30), da(2 * 24);
  const std::size_t begins[] = {0, 2};
  const auto loss = [&](std::size_t heads, View teacher) {
    return relation_loss({a.data(), 2, 24}, teacher, begins, 1, heads, 1, {da.data(), 2, 24});
  };
  CHECK_THROWS_WITH(loss(5, {b.data(), 2, 30}), Catch::Contains("student's width must be"));
  CHECK_THROWS_WITH(
      loss(4, {b.data(), 2, 30}),
      Catch::Contains("teacher's width must be a multiple of 4 relation heads, but is 10"));
  CHECK_THROWS_AS(loss(2, {b.data(), 1, 30}), Error);
}
