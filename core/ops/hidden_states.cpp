#include "core/ops/hidden_states.h"

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "core/tensor/check.h"

namespace bitlab {

double hidden_state_loss(View student,
                         View teacher,
                         const size_t* begins,
                         size_t texts,
                         double grad_scale,
                         View dstudent) {
  check_shape("hidden_state_loss", "teacher", teacher, student.rows, student.cols);
  check_shape("hidden_state_loss", "dstudent", dstudent, student.rows, student.cols);
  if (begins[texts] != student.rows)
    throw Error("hidden_state_loss", "texts must end with row " + std::to_string(student.rows) +
                                         ", but end with " + std::to_string(begins[texts]));
  const size_t C = student.cols;
  thread_local std::vector<real> difference;  // its memory is kept from step to step
  difference.resize(C);
  double total = 0;
  for (size_t text = 0; text < texts; ++text) {
    const double share = 1.0 / static_cast<double>((begins[text + 1] - begins[text]) * C);
    const auto slope = static_cast<real>(2 * grad_scale * share);
    double squares = 0;
    for (size_t r = begins[text]; r < begins[text + 1]; ++r) {
      const real *s = student.row(r), *t = teacher.row(r);
      real* d = dstudent.row(r);
      for (size_t c = 0; c < C; ++c) difference[c] = s[c] - t[c];
      for (size_t c = 0; c < C; ++c) d[c] += slope * difference[c];
      squares += simd::kernels().sum_of_squares(C, difference.data());
    }
    total += squares * share;
  }
  return total;
}

}  // namespace bitlab
