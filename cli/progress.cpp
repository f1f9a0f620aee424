#include "cli/progress.h"

#include <unistd.h>

#include <iomanip>
#include <iostream>
#include <sstream>

namespace bitlab {

void show_progress(const std::string& what, std::uint64_t done, std::uint64_t total) {
  if (::isatty(STDERR_FILENO) == 0 || total == 0) return;
  std::ostringstream line;
  line << "\r" << what << ": " << std::fixed << std::setprecision(1)
       << static_cast<double>(done) / 1e6 << " of " << static_cast<double>(total) / 1e6 << " MB ("
       << done * 100 / total << " %)";
  std::cerr << line.str() << (done >= total ? "\n" : "") << std::flush;
}

}  // namespace bitlab
