#include "layers/relu.h"

#include "core/ops/elementwise.h"

namespace bitlab {

View Relu::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  relu_forward(x, y);
  pass.saved.push(y);
  return y;
}

View Relu::backward(View dy, Pass& pass) const {
  relu_backward(pass.saved.pop(), dy);
  return dy;
}

}  // namespace bitlab
