#include "experiments/rehearsal.h"

#include <algorithm>
#include <cmath>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/ops/cross_entropy.h"
#include "layers/models/bert.h"
#include "layers/params.h"

namespace bitlab {

namespace {

// Addresses for all parameters of a net and for their gradients.
class UnbackedParams {
 public:
  explicit UnbackedParams(Layer& net) {
    std::size_t size = 0;
    visit_distinct_params(net, [&](const std::string&, Param& p) {
      p.offset = size;
      size += p.size();
      params_.push_back(&p);
    });
    values_ = AddressSpace(size * sizeof(real));
    gradients_ = AddressSpace(size * sizeof(real));
    for (Param* p : params_)
      p->value = {static_cast<real*>(values_.data()) + p->offset, p->rows, p->cols};
  }
  ~UnbackedParams() {
    for (Param* p : params_) p->value = {};
  }
  UnbackedParams(const UnbackedParams&) = delete;
  UnbackedParams& operator=(const UnbackedParams&) = delete;

  View gradients() const {
    return {static_cast<real*>(gradients_.data()), 1, gradients_.size() / sizeof(real)};
  }

 private:
  std::vector<Param*> params_;
  AddressSpace values_, gradients_;
};

void run_pass(const Layer& net, std::size_t vocab_size, Pass& pass) {
  pass.arena.reset();
  pass.saved.clear();
  const std::vector<std::int32_t> zeros(pass.rows(), 0);
  pass.tokens = zeros.data();
  const View z = net.forward({}, pass);
  if (z.cols != vocab_size)
    throw Error("rehearsal", "logits must be " + std::to_string(vocab_size) +
                                 " wide, but the model's are " + std::to_string(z.cols));
  if (!pass.training) return;
  cross_entropy(z, zeros.data(), 1, z);
  net.backward(z, pass);
}

// As many rows as a masked language model's head is asked for; other heads read all.
std::vector<std::size_t> masked_rows(std::size_t batch, std::size_t seq_len) {
  const double share = kMaskedShare * static_cast<double>(seq_len);
  const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share)));
  std::vector<std::size_t> rows;
  for (std::size_t b = 0; b < batch; ++b)
    for (std::size_t t = 0; t < count; ++t) rows.push_back(b * seq_len + t);
  return rows;
}

Rehearsal rehearse_once(const Layer& net,
                        std::size_t vocab_size,
                        std::size_t batch,
                        std::size_t seq_len,
                        Passes passes,
                        Gradients& gradients) {
  Rehearsal r;
  Pass pass;
  pass.batch = batch;
  pass.seq_len = seq_len;
  pass.training = passes == Passes::Training;
  const std::vector<std::size_t> picked = masked_rows(batch, seq_len);
  pass.picked = &picked;
  pass.gradients = &gradients;
  simd::CallLog log;
  pass.arena.record(&r.memory);
  run_pass(net, vocab_size, pass);
  pass.arena.record(nullptr);
  std::swap(r.calls, log.calls);
  const double begin = process_cpu_seconds();  // pages are there now
  run_pass(net, vocab_size, pass);
  r.seconds = process_cpu_seconds() - begin;
  return r;
}

std::size_t beyond(std::size_t one, std::size_t two, std::size_t batch) {
  return one + (two - one) * (batch - 1);
}

}  // namespace

std::size_t Rehearsal::peak_bytes() const {
  std::vector<std::size_t> height = {0};  // bytes in use below the n-th living allocation
  std::size_t peak = 0;
  for (const Arena::Request& request : memory) {
    height.resize(request.live + 1);
    height.push_back(height.back() + request.bytes);
    peak = std::max(peak, height.back());
  }
  return peak;
}

Rehearsal rehearse(
    Layer& net, std::size_t vocab_size, std::size_t batch, std::size_t seq_len, Passes passes) {
  const UnbackedParams params(net);
  Gradients gradients(params.gradients());
  Rehearsal all = rehearse_once(net, vocab_size, 1, seq_len, passes, gradients);
  if (batch <= 1) return all;
  const Rehearsal two = rehearse_once(net, vocab_size, 2, seq_len, passes, gradients);
  if (two.memory.size() != all.memory.size() || two.calls.size() != all.calls.size())
    throw Error("rehearsal",
                "a pass must take the same steps whatever the batch, but this model's "
                "does not");
  for (std::size_t i = 0; i < all.memory.size(); ++i)
    all.memory[i].bytes = beyond(all.memory[i].bytes, two.memory[i].bytes, batch);
  for (std::size_t i = 0; i < all.calls.size(); ++i) {
    simd::KernelCall& call = all.calls[i];
    call.times = beyond(call.times, two.calls[i].times, batch);
    for (std::size_t k = 0; k < call.sizes.size(); ++k)
      call.sizes[k] = beyond(call.sizes[k], two.calls[i].sizes[k], batch);
  }
  all.seconds += std::max(0.0, two.seconds - all.seconds) * static_cast<double>(batch - 1);
  return all;
}

}  // namespace bitlab
