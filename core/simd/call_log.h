#pragma once
// What some code asks of the kernels, without any of it being done.
#include <cstddef>
#include <string>
#include <vector>

namespace bitlab::simd {

// A call, or several in a row that differ in their memory only.
struct KernelCall {
  std::string kernel;              // as in Kernels
  std::vector<std::size_t> sizes;  // the sizes and switches among its arguments, in their order
  std::size_t times = 1;
};

// While it lives, kernels() computes nothing: memory that is handed to it is neither read nor
// written, sums are 0, and every call is noted. One at a time, and not while another thread
// computes.
class CallLog {
 public:
  CallLog();
  ~CallLog();
  CallLog(const CallLog&) = delete;
  CallLog& operator=(const CallLog&) = delete;

  std::vector<KernelCall> calls;
};

}  // namespace bitlab::simd
