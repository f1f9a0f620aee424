#include "core/ops/relations.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "core/tensor/check.h"
#include "core/tensor/gemm.h"

namespace bitlab {

namespace {

constexpr size_t kParts = 3;  // queries, keys, values

// One head of one text of a matrix.
struct Head {
  View of;
  size_t row = 0, rows = 0, col = 0, cols = 0;

  real* at(size_t r) const { return of.row(row + r) + col; }
};

View taken(std::vector<real>& memory, size_t rows, size_t cols) {
  if (memory.size() < rows * cols) memory.resize(rows * cols);
  return {memory.data(), rows, cols};
}

// Memory of one thread: it grows only.
struct Workspace {
  std::vector<real> a, b, da, scores, wanted, row, wanted_row;
};

// scores = A A^T / sqrt(d), A a copy of the head.
void relate(const Head& head, View a, View scores) {
  const real scale = static_cast<real>(1 / std::sqrt(static_cast<double>(head.cols)));
  for (size_t r = 0; r < head.rows; ++r)
    std::memcpy(a.row(r), head.at(r), head.cols * sizeof(real));
  matmul_nt(a, a, scores);
  for (size_t i = 0; i < scores.size(); ++i) scores.data[i] *= scale;
}

// KL(softmax(wanted) || softmax(scores)) of a row; scores become its gradient. The kernel gives
// softmax(x) - e_0 and log sum exp(x) - x_0: what is subtracted cancels between the two.
double divergence(real* scores, const real* wanted, size_t n, Workspace& work) {
  constexpr std::int32_t kFirst = 0;
  const View p = taken(work.row, 1, n), q = taken(work.wanted_row, 1, n);
  const auto softmax = simd::kernels().cross_entropy;
  double lse = 0, wanted_lse = 0;
  softmax(1, n, scores, &kFirst, 1, p.data, &lse);
  softmax(1, n, wanted, &kFirst, 1, q.data, &wanted_lse);
  double sum = lse - wanted_lse;
  for (size_t i = 0; i < n; ++i) {
    sum += static_cast<double>(q.data[i]) * static_cast<double>(wanted[i] - scores[i]);
    scores[i] = p.data[i] - q.data[i];
  }
  return sum;
}

// Sum over the head's positions of the divergence; dstudent += grad_scale times its gradient.
double head_loss(const Head& student,
                 const Head& teacher,
                 const Head& dstudent,
                 double grad_scale,
                 Workspace& work) {
  const size_t T = student.rows, d = student.cols;
  const View a = taken(work.a, T, d), scores = taken(work.scores, T, T),
             wanted = taken(work.wanted, T, T);
  relate(student, a, scores);
  relate(teacher, taken(work.b, T, teacher.cols), wanted);
  double sum = 0;
  for (size_t r = 0; r < T; ++r) sum += divergence(scores.row(r), wanted.row(r), T, work);
  // scores = A A^T s, so dA = s (G + G^T) A.
  const View da = taken(work.da, T, d);
  matmul_nn(scores, a, da);
  matmul_tn_add(scores, a, da);
  const real scale = static_cast<real>(grad_scale / std::sqrt(static_cast<double>(d)));
  for (size_t r = 0; r < T; ++r)
    for (size_t i = 0; i < d; ++i) dstudent.at(r)[i] += scale * da(r, i);
  return sum;
}

void check_width(const char* whose, View of, size_t heads) {
  if (of.cols % (kParts * heads) != 0)
    throw Error("relation_loss", std::string(whose) + " width must be a multiple of " +
                                     std::to_string(heads) + " relation heads, but is " +
                                     std::to_string(of.cols / kParts));
}

}  // namespace

double relation_loss(View student,
                     View teacher,
                     const size_t* begins,
                     size_t texts,
                     size_t heads,
                     double grad_scale,
                     View dstudent) {
  check_width("the student's", student, heads);
  check_width("the teacher's", teacher, heads);
  check_shape("relation_loss", "teacher", teacher, student.rows, teacher.cols);
  check_shape("relation_loss", "dstudent", dstudent, student.rows, student.cols);
  thread_local Workspace work;
  const size_t d = student.cols / kParts / heads, wanted = teacher.cols / kParts / heads;
  double total = 0;
  for (size_t text = 0; text < texts; ++text) {
    const size_t row = begins[text], T = begins[text + 1] - row;
    const double share = 1.0 / static_cast<double>(heads * T);
    double loss = 0;
    for (size_t head = 0; head < kParts * heads; ++head)
      loss += head_loss({student, row, T, head * d, d}, {teacher, row, T, head * wanted, wanted},
                        {dstudent, row, T, head * d, d}, grad_scale * share, work);
    total += loss * share;
  }
  return total;
}

}  // namespace bitlab
