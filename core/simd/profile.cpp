#include "core/simd/profile.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "core/simd/kernel_list.h"

namespace bitlab::simd {

namespace {

// The one place with state of its own: function pointers cannot carry any.
struct Profile {
  Kernels original;
  Kernels timed;
  std::map<std::string, KernelTime> times;
};

Profile& profile() {
  static Profile p;
  return p;
}

class Timer {
 public:
  explicit Timer(const char* name, double flops = 0) : name_(name), flops_(flops) {}
  ~Timer() {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
    KernelTime& time = profile().times[name_];
    time.name = name_;
    ++time.calls;
    time.seconds += elapsed.count();
    time.flops += flops_;
  }

 private:
  const char* name_;
  double flops_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

template <size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&name)[N]) {
    std::copy_n(name, N, text);
  }  // NOLINT: a literal is the point
};

template <auto member, Name name, class R, class... Args>
R call(Args... args) {
  const Timer timer(name.text);
  return (profile().original.*member)(args...);
}

template <auto member, Name name, class R, class... Args>
void wrap(R (*Kernels::*)(Args...)) {
  profile().timed.*member = call<member, name, R, Args...>;
}

void timed_gemm(const GemmArgs& args) {
  const char* names[] = {"gemm nn", "gemm nt", "gemm tn", "gemm tt"};
  const Timer timer(names[2 * args.trans_a + args.trans_b], 2.0 * static_cast<double>(args.m) *
                                                                static_cast<double>(args.n) *
                                                                static_cast<double>(args.k));
  profile().original.gemm(args);
}

void timed_ternary_gemm(const TernaryGemmArgs& args) {
  const Timer timer("ternary_gemm", 2.0 * static_cast<double>(args.m) *
                                        static_cast<double>(args.n) * static_cast<double>(args.k));
  profile().original.ternary_gemm(args);
}

}  // namespace

const Kernels& profiled(const Kernels& table) {
  Profile& p = profile();
  p.original = p.timed = table;
#define BITLAB_WRAP(kernel) wrap<&Kernels::kernel, #kernel>(&Kernels::kernel);
  BITLAB_COMPUTING_KERNELS(BITLAB_WRAP)
#undef BITLAB_WRAP
  p.timed.gemm = timed_gemm;
  p.timed.ternary_gemm = timed_ternary_gemm;
  return p.timed;
}

std::vector<KernelTime> kernel_times() {
  std::vector<KernelTime> times;
  for (const auto& [name, time] : profile().times) times.push_back(time);
  std::sort(times.begin(), times.end(),
            [](const KernelTime& a, const KernelTime& b) { return a.seconds > b.seconds; });
  return times;
}

void reset_kernel_times() { profile().times.clear(); }

}  // namespace bitlab::simd
