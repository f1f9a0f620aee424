#pragma once
// What comes out of a block, for those who learn from it.
#include "layers/layer.h"

namespace bitlab {

// Is told what comes out of each block of a pass that names it (Pass::block_tap), beside what the
// net itself does with it.
class BlockTap {
 public:
  virtual ~BlockTap() = default;

  virtual void on_forward(size_t /*block*/, View /*x*/, const Pass& /*pass*/) {}
  // dx is the gradient by x: what is added to it goes on backward.
  virtual void on_backward(size_t /*block*/, View /*x*/, View /*dx*/, const Pass& /*pass*/) {}
};

// y = x, the output of block `block`, counted from 0.
class BlockOutput : public Layer {
 public:
  explicit BlockOutput(size_t block) : block_(block) {}

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override { return "output of block " + std::to_string(block_); }

 private:
  size_t block_;
};

}  // namespace bitlab
