#pragma once
// A forward pass, and a backward one, gone through without arithmetic and almost without memory, to
// see what it would take.
#include <vector>

#include "core/simd/call_log.h"
#include "layers/layer.h"

namespace bitlab {

enum class Passes {
  Training,  // forward and backward
  Forward,   // as in evaluation
};

struct Rehearsal {
  std::vector<Arena::Request> memory;   // that the pass asks for, in its order
  std::vector<simd::KernelCall> calls;  // of kernels
  double seconds = 0;                   // of this machine, beside kernels

  std::size_t peak_bytes() const;  // of memory alive at once
};

// One shard of `batch` sequences, with logits `vocab_size` wide. The layers run for one and two
// sequences, which tells the rest: all sizes grow by the same amount with each. Weights and
// gradients get addresses but no pages, and kernels do nothing (simd::CallLog), so a model of any
// size is rehearsed in the memory of a few activations. `net` must not be bound to a ParamStore;
// nothing is left in it. Not while another thread computes.
Rehearsal rehearse(Layer& net,
                   std::size_t vocab_size,
                   std::size_t batch,
                   std::size_t seq_len,
                   Passes passes = Passes::Training);

}  // namespace bitlab
