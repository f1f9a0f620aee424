#include "core/simd/profile.h"

#include <algorithm>
#include <chrono>
#include <map>

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
  p.timed.gemm = timed_gemm;
  p.timed.ternary_gemm = timed_ternary_gemm;
  wrap<&Kernels::quantize_rows, "quantize_rows">(&Kernels::quantize_rows);
  wrap<&Kernels::dequantize_rows, "dequantize_rows">(&Kernels::dequantize_rows);
  wrap<&Kernels::ternary_round, "ternary_round">(&Kernels::ternary_round);
  wrap<&Kernels::ternary_expand, "ternary_expand">(&Kernels::ternary_expand);
  wrap<&Kernels::ternary_pack, "ternary_pack">(&Kernels::ternary_pack);
  wrap<&Kernels::attention_forward, "attention_forward">(&Kernels::attention_forward);
  wrap<&Kernels::attention_decode, "attention_decode">(&Kernels::attention_decode);
  wrap<&Kernels::attention_backward, "attention_backward">(&Kernels::attention_backward);
  wrap<&Kernels::rmsnorm_forward, "rmsnorm_forward">(&Kernels::rmsnorm_forward);
  wrap<&Kernels::rmsnorm_backward, "rmsnorm_backward">(&Kernels::rmsnorm_backward);
  wrap<&Kernels::layernorm_forward, "layernorm_forward">(&Kernels::layernorm_forward);
  wrap<&Kernels::layernorm_backward, "layernorm_backward">(&Kernels::layernorm_backward);
  wrap<&Kernels::cross_entropy, "cross_entropy">(&Kernels::cross_entropy);
  wrap<&Kernels::relu_forward, "relu_forward">(&Kernels::relu_forward);
  wrap<&Kernels::relu_backward, "relu_backward">(&Kernels::relu_backward);
  wrap<&Kernels::gelu_forward, "gelu_forward">(&Kernels::gelu_forward);
  wrap<&Kernels::gelu_backward, "gelu_backward">(&Kernels::gelu_backward);
  wrap<&Kernels::centering_forward, "centering_forward">(&Kernels::centering_forward);
  wrap<&Kernels::centering_backward, "centering_backward">(&Kernels::centering_backward);
  wrap<&Kernels::relu2_forward, "relu2_forward">(&Kernels::relu2_forward);
  wrap<&Kernels::relu2_backward, "relu2_backward">(&Kernels::relu2_backward);
  wrap<&Kernels::swiglu_forward, "swiglu_forward">(&Kernels::swiglu_forward);
  wrap<&Kernels::swiglu_backward, "swiglu_backward">(&Kernels::swiglu_backward);
  wrap<&Kernels::relu2_glu_forward, "relu2_glu_forward">(&Kernels::relu2_glu_forward);
  wrap<&Kernels::relu2_glu_backward, "relu2_glu_backward">(&Kernels::relu2_glu_backward);
  wrap<&Kernels::rope, "rope">(&Kernels::rope);
  wrap<&Kernels::add, "add">(&Kernels::add);
  wrap<&Kernels::add_bias, "add_bias">(&Kernels::add_bias);
  wrap<&Kernels::bias_backward, "bias_backward">(&Kernels::bias_backward);
  wrap<&Kernels::sum_of_squares, "sum_of_squares">(&Kernels::sum_of_squares);
  wrap<&Kernels::sum_of_abs, "sum_of_abs">(&Kernels::sum_of_abs);
  wrap<&Kernels::adamw, "adamw">(&Kernels::adamw);
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
