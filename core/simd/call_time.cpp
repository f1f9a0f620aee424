#include "core/simd/call_time.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "core/base/address_space.h"
#include "core/base/error.h"
#include "core/simd/call_args.h"
#include "core/simd/kernel_list.h"

namespace bitlab::simd {

namespace {

// Sizes from which on a kernel's speed does not change any more.
constexpr size_t kMostRows = 1024, kMostColumns = 1536, kMostDepth = 1024;  // of products
constexpr size_t kMostValues = size_t{1} << 21;                             // of other kernels
constexpr size_t kMostHeadValues = size_t{1} << 20;                         // of attention: queries

// Bytes that calls in a row take their arguments from: several times the cache that a core has for
// itself (its L2), so that none finds there what the one before left. In a step other calls with
// other arguments stand between those that write an argument and read it.
size_t spread() {
  constexpr size_t kTimes = 4, kUsual = size_t{1} << 20, kMost = size_t{64} << 20;
  const long own = ::sysconf(_SC_LEVEL2_CACHE_SIZE);  // 0 where it is not known
  return std::min(kMost, kTimes * (own > 0 ? static_cast<size_t>(own) : kUsual));
}

// Memory for the arguments of one call, filled with numbers that stay normal ones.
class Memory {
 public:
  // Each argument ends where a page begins that must not be touched: a call whose arguments are too
  // small for it is stopped at once, whatever happens to lie behind them.
  Memory() = default;
  // One argument after another from `begin` on, as in an Arena.
  explicit Memory(void* begin) : next_(static_cast<char*>(begin)) {}

  template <class T>
  T* take(size_t n) {
    auto* const values = static_cast<std::remove_const_t<T>*>(take_bytes(n * sizeof(T)));
    constexpr size_t kPeriod = 97;
    for (size_t i = 0; i < n; ++i) {
      if (i >= kPeriod)
        values[i] = values[i - kPeriod];
      else if constexpr (sizeof(T) > 1 && !std::is_integral_v<T>)
        values[i] = T(0.5 + 0.5 * double(i) / kPeriod);
      else  // codes and token ids
        values[i] = T(i % 3 == 0);
    }
    return values;
  }
  size_t bytes() const { return bytes_; }  // of all that was taken

 private:
  void* take_bytes(size_t bytes) {
    constexpr size_t kPage = 4096, kAlignment = 64;
    const size_t aligned = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    bytes_ += aligned;
    if (next_ != nullptr) return std::exchange(next_, next_ + aligned);
    const size_t pages = (aligned + kPage - 1) / kPage * kPage;
    spaces_.emplace_back(pages + kPage);
    char* const end = static_cast<char*>(spaces_.back().data()) + pages;
    if (::mprotect(end, kPage, PROT_NONE) != 0)
      throw Error("timing a kernel", "the memory behind its arguments could not be closed");
    return end - aligned;
  }

  char* next_ = nullptr;
  std::vector<AddressSpace> spaces_;
  size_t bytes_ = 0;
};

// What an argument list is made of.
struct Source {
  const KernelCall& call;
  Memory& memory;
  size_t values;  // that a pointer must reach
  size_t next = 0;
};

template <class T>
struct Make {  // a pointer
  static T from(Source& s) { return s.memory.take<std::remove_pointer_t<T>>(s.values); }
};
template <>
struct Make<size_t> {
  static size_t from(Source& s) { return s.call.sizes[s.next++]; }
};
template <>
struct Make<real> {
  static real from(Source&) { return real(0.01); }
};
template <>
struct Make<GemmArgs> {
  static GemmArgs from(Source& s) {
    const Sizes& n = s.call.sizes;
    GemmArgs a;
    a.m = n[0], a.n = n[1], a.k = n[2], a.trans_a = n[3], a.trans_b = n[4], a.beta = real(n[5]);
    a.lda = a.trans_a ? a.m : a.k, a.ldb = a.trans_b ? a.k : a.n, a.ldc = a.n;
    a.a = s.memory.take<const real>(a.m * a.k);
    a.b = s.memory.take<const real>(a.n * a.k);
    a.c = s.memory.take<real>(a.m * a.n);
    return a;
  }
};
template <>
struct Make<TernaryGemmArgs> {
  static TernaryGemmArgs from(Source& s) {
    TernaryGemmArgs a;
    a.m = s.call.sizes[0], a.n = s.call.sizes[1], a.k = s.call.sizes[2];
    a.x_stride = (a.k + 63) / 64 * 64;
    a.x = s.memory.take<const std::int8_t>(a.m * a.x_stride);
    a.x_step = s.memory.take<const real>(a.m);
    a.x_sum = s.memory.take<const std::int32_t>(a.m);
    a.w = s.memory.take<const std::uint8_t>(kernels().ternary_packed_size(a.n, a.k));
    a.w_scale = s.memory.take<const real>(a.n);
    a.y = s.memory.take<real>(a.m * a.n);
    return a;
  }
};
template <>
struct Make<AttentionArgs> {
  static AttentionArgs from(Source& s) {
    const Sizes& n = s.call.sizes;
    AttentionArgs a;
    a.batch = n[0], a.seq_len = n[1], a.n_head = n[2], a.n_kv_head = n[3];
    a.d_head = n[4], a.d_value = n[5], a.first_position = n[6];
    a.causal = n[7], a.dropout = n[8] ? real(0.1) : real(0), a.scale = real(0.1);
    a.padded = a.first_position > 0;
    const size_t rows = a.batch * a.seq_len, outputs = a.n_head * a.d_value;
    const size_t keys = a.first_position + a.seq_len;
    a.q = heads<const real>(s, a, a.n_head, a.d_head, a.seq_len);
    a.k = heads<const real>(s, a, a.n_kv_head, a.d_head, keys);
    a.v = heads<const real>(s, a, a.n_kv_head, a.d_value, keys);
    a.y = s.memory.take<real>(rows * outputs);
    a.lse = a.padded ? nullptr : s.memory.take<real>(rows * a.n_head);
    a.dy = s.memory.take<const real>(rows * outputs);
    a.dq = heads<real>(s, a, a.n_head, a.d_head, a.seq_len);
    a.dk = heads<real>(s, a, a.n_kv_head, a.d_head, keys);
    a.dv = heads<real>(s, a, a.n_kv_head, a.d_value, keys);
    a.scratch = s.memory.take<real>(kernels().attention_scratch(a));
    return a;
  }

 private:
  // Side by side in rows, as linear layers leave them; padded, one after the other, as in a cache.
  template <class T>
  static Heads<T> heads(Source& s, const AttentionArgs& a, size_t n, size_t width, size_t rows) {
    Heads<T> h;
    if (a.padded) {
      h.row = attention_padded(width), h.head = h.row * attention_padded(rows),
      h.sequence = n * h.head;
    } else {
      h.row = n * width, h.head = width, h.sequence = h.row * rows;
    }
    h.data = s.memory.take<T>(a.batch * h.sequence);
    return h;
  }
};
template <>
struct Make<RopeArgs> {
  static RopeArgs from(Source& s) {
    const Sizes& n = s.call.sizes;
    RopeArgs a;
    a.rows = n[0], a.seq_len = n[1], a.heads = n[2], a.d_head = n[3], a.stride = n[4];
    a.head_stride = n[5], a.inverse = n[6];
    a.table = s.memory.take<const real>(a.seq_len * a.d_head);
    a.x = s.memory.take<real>(a.rows * a.stride);
    return a;
  }
};
template <>
struct Make<DropoutArgs> {
  static DropoutArgs from(Source& s) {
    DropoutArgs a;
    a.n = s.call.sizes[0];
    a.x = s.memory.take<const real>(a.n), a.y = s.memory.take<real>(a.n);
    a.limit = 1u << 29;
    return a;
  }
};
template <>
struct Make<AdamWArgs> {
  static AdamWArgs from(Source& s) {
    AdamWArgs a;
    a.n = s.call.sizes[0];
    a.w = s.memory.take<real>(a.n), a.m = s.memory.take<real>(a.n);
    a.v = s.memory.take<real>(a.n), a.g = s.memory.take<const real>(a.n);
    a.lr = a.weight_decay = real(1e-3), a.beta1 = real(0.9), a.beta2 = real(0.99);
    a.eps = real(1e-8);
    return a;
  }
};

double thread_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

// Median of a few, each long enough for the clock. f(i) makes the call on the i-th of `sets`.
template <class F>
double seconds_of(size_t sets, F&& f) {
  size_t next = 0;
  const auto timed = [&](size_t times) {
    const double begin = thread_seconds();
    for (size_t i = 0; i < times; ++i) {
      f(next);
      if (++next == sets) next = 0;
    }
    return (thread_seconds() - begin) / double(times);
  };
  timed(1);
  const double once = timed(1);
  const size_t times = std::clamp<size_t>(size_t(1e-3 / std::max(once, 1e-9)), 1, 100000);
  double three[] = {timed(times), timed(times), timed(times)};
  std::sort(three, three + 3);
  return three[1];
}

// That a pointer among a call's arguments must reach: rows by columns, or n.
size_t values_of(const KernelCall& call) {
  const Sizes& n = call.sizes;
  if (call.kernel.find("quantize_rows") != std::string::npos) return n[0] * n[2];
  size_t values = n.empty() ? 1 : n[0] * (n.size() > 1 ? n[1] : 1);
  if (call.kernel.find("glu") != std::string::npos) values *= 2;  // a gated row holds two
  if (call.kernel == "ternary_pack" ||
      call.kernel == "ternary_unpack")  // codes, one a byte, and where they go
    values = std::max(values, kernels().ternary_packed_size(n[0], n[1]));
  return values;
}

using Timer = std::function<double(const KernelCall&)>;

template <class R, class... Args>
Timer timer_of(R (*Kernels::*member)(Args...)) {
  return [member](const KernelCall& call) {
    using Set = std::tuple<std::decay_t<Args>...>;
    const auto set_in = [&call](Memory& memory) {
      Source source{call, memory, values_of(call)};
      return Set{Make<std::decay_t<Args>>::from(source)...};
    };
    const auto function = kernels().*member;
    Memory guarded;
    std::apply(function, set_in(guarded));
    const size_t bytes = std::max<size_t>(guarded.bytes(), 1);
    const AddressSpace pool(std::max(spread() / bytes, size_t{1}) * bytes);
    std::vector<Set> sets;
    for (size_t at = 0; at < pool.size(); at += bytes) {
      Memory memory(static_cast<char*>(pool.data()) + at);
      sets.push_back(set_in(memory));
    }
    return seconds_of(sets.size(), [&](size_t i) { std::apply(function, sets[i]); });
  };
}

const std::map<std::string, Timer>& timers() {
#define BITLAB_TIMER(kernel) {#kernel, timer_of(&Kernels::kernel)},
  static const std::map<std::string, Timer> all = {BITLAB_COMPUTING_KERNELS(BITLAB_TIMER)};
#undef BITLAB_TIMER
  return all;
}

bool is_product(const KernelCall& c) { return c.kernel == "gemm" || c.kernel == "ternary_gemm"; }

// How a call's time grows.
double work(const KernelCall& c) {
  const auto n = [&](size_t i) { return static_cast<double>(c.sizes[i]); };
  if (is_product(c)) return n(0) * n(1) * n(2);
  if (c.kernel.starts_with("attention")) return n(0) * n(2);  // of one sequence length
  if (c.kernel == "rope") return n(0);
  return c.sizes.size() > 1 ? n(0) * n(1) : n(0);
}

KernelCall smaller(KernelCall c) {
  Sizes& n = c.sizes;
  if (is_product(c)) {
    n[0] = std::min(n[0], kMostRows);
    n[1] = std::min(n[1], kMostColumns);
    n[2] = std::min(n[2], kMostDepth);
  } else if (c.kernel.starts_with("attention")) {
    const size_t one = n[1] * n[4];  // values of one head of one sequence
    if (n[0] * n[2] * one <= kMostHeadValues) return c;
    n[0] = std::max<size_t>(1, kMostHeadValues / (n[2] * one));
    if (n[0] > 1) return c;
    const size_t group = n[2] / n[3];
    n[3] = std::clamp<size_t>(kMostHeadValues / (group * one), 1, n[3]);
    n[2] = n[3] * group;
  } else {
    const size_t row = n.size() > 1 ? (c.kernel == "rope" ? n[4] : n[1]) : 1;
    n[0] = std::min(n[0], std::max<size_t>(1, kMostValues / row));
  }
  return c;
}

}  // namespace

double call_seconds(const KernelCall& call) {
  const double whole = work(call);
  if (whole == 0) return 0;
  const KernelCall timed = smaller(call);
  return timers().at(call.kernel)(timed) * whole / work(timed);
}

double call_flops(const KernelCall& call) { return is_product(call) ? 2 * work(call) : 0; }

}  // namespace bitlab::simd
