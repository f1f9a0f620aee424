#include "layers/recompute.h"

#include "core/ops/elementwise.h"

namespace bitlab {

namespace {

// v, which lies beyond the mark, moved to the mark; all else beyond is given back.
View keep_only(View v, Arena::Mark mark, Arena& arena) {
  arena.release(mark);
  const View kept = arena.matrix(v.rows, v.cols);
  copy(v, kept);
  return kept;
}

}  // namespace

View Recompute::forward(View x, Pass& pass) const {
  const Arena::Mark mark = pass.arena.mark();
  const size_t depth = pass.saved.size();
  View y = inner_->forward(x, pass);
  if (y.data != x.data) y = keep_only(y, mark, pass.arena);  // else it did nothing
  pass.saved.shrink(depth);
  pass.saved.push(x);
  return y;
}

// dx ends in dy where it fits, so that nothing is left of what the inner layer took.
View Recompute::backward(View dy, Pass& pass) const {
  const View x = pass.saved.pop();
  const Arena::Mark mark = pass.arena.mark();
  inner_->forward(x, pass);
  View dx = inner_->backward(dy, pass);
  if (dx.data == nullptr || dx.data == dy.data) {
    pass.arena.release(mark);
    return dx;
  }
  if (dx.size() > dy.size()) return keep_only(dx, mark, pass.arena);
  const View result{dy.data, dx.rows, dx.cols};
  copy(dx, result);
  pass.arena.release(mark);
  return result;
}

}  // namespace bitlab
