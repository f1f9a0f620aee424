#include "layers/gelu.h"

#include "core/ops/elementwise.h"

namespace bitlab {

View Gelu::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  gelu_forward(x, y);
  pass.saved.push(x);
  return y;
}

View Gelu::backward(View dy, Pass& pass) const {
  gelu_backward(pass.saved.pop(), dy);
  return dy;
}

}  // namespace bitlab
