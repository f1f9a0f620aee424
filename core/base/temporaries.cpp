#include "core/base/temporaries.h"

#include <signal.h>

#include <cerrno>
#include <cstdlib>
#include <regex>
#include <string>

namespace bitlab {

bool is_abandoned_temporary(const std::filesystem::path& path) {
  static const std::regex pattern(R"(.*\.tmp(\d*)(-\d+)?)");
  std::smatch parts;
  const std::string name = path.filename().string();
  if (!std::regex_match(name, parts, pattern)) return false;
  const long pid = std::atol(parts[1].str().c_str());
  return pid <= 0 || (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH);
}

}  // namespace bitlab
