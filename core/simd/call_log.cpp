#include "core/simd/call_log.h"

#include "core/simd/call_args.h"
#include "core/simd/kernel_list.h"

namespace bitlab::simd {

namespace {

// Function pointers cannot carry any state.
CallLog* log_in_use = nullptr;
const Kernels* original = nullptr;
Kernels idle;

template <auto member, class R, class... Args>
struct Idle {
  static inline const char* name = nullptr;
  static R call(Args... args) {
    KernelCall call{name, {}};
    (note_sizes(call.sizes, args), ...);
    auto& calls = log_in_use->calls;
    if (!calls.empty() && calls.back().kernel == name && calls.back().sizes == call.sizes)
      ++calls.back().times;
    else
      calls.push_back(std::move(call));
    return R();
  }
};

template <auto member, class R, class... Args>
void make_idle(const char* name, R (*Kernels::*)(Args...)) {
  Idle<member, R, Args...>::name = name;
  idle.*member = Idle<member, R, Args...>::call;
}

}  // namespace

CallLog::CallLog() {
  original = &kernels();
  idle = *original;
#define BITLAB_IDLE(kernel) make_idle<&Kernels::kernel>(#kernel, &Kernels::kernel);
  BITLAB_COMPUTING_KERNELS(BITLAB_IDLE)
#undef BITLAB_IDLE
  log_in_use = this;
  use_kernels(idle);
}

CallLog::~CallLog() {
  use_kernels(*original);
  log_in_use = nullptr;
}

}  // namespace bitlab::simd
