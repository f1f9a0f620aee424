#include "core/base/process_memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <fstream>
#include <string>

namespace bitlab {

namespace {

// A line of /proc/self/status, "VmRSS:  1234 kB", in bytes; 0 if there is none.
std::size_t status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return 1024 * std::stoull(line.substr(key.size()));
  return 0;
}

}  // namespace

std::size_t resident_bytes() { return status_bytes("VmRSS:"); }

std::size_t peak_resident_bytes() { return status_bytes("VmHWM:"); }

// The system counts the peak anew after a 5 in clear_refs.
void reset_peak_resident() { std::ofstream("/proc/self/clear_refs") << "5"; }

void give_back_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace bitlab
