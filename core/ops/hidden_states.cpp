#include "core/ops/hidden_states.h"

#include <vector>

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
  const size_t C = student.cols;
  std::vector<real> difference(C);
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
