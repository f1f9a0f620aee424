#include "layers/block_output.h"

namespace bitlab {

View BlockOutput::forward(View x, Pass& pass) const {
  if (pass.block_tap) pass.block_tap->on_forward(block_, x, pass);
  pass.saved.push(x);
  return x;
}

View BlockOutput::backward(View dy, Pass& pass) const {
  const View x = pass.saved.pop();
  if (pass.block_tap) pass.block_tap->on_backward(block_, x, dy, pass);
  return dy;
}

}  // namespace bitlab
