#include "experiments/provenance.h"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "build_info.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/simd/kernels.h"
#include "core/tensor/blas.h"
#include "git_info.h"

namespace bitlab {

namespace {

std::string host_name() {
  char name[256] = "unknown";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string command_line() {
  std::string text = read_file("/proc/self/cmdline");
  for (char& c : text)
    if (c == '\0') c = ' ';
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string provenance_json(const WorkerOptions& options,
                            const Dataset& data,
                            const std::string& started) {
  const nlohmann::ordered_json json = {
      {"experiment", options.experiment},
      {"arm", options.arm},
      {"seed", options.seed},
      {"threads", options.threads},
      {"started", started},
      {"build",
       {{"version", kBuildVersion},
        {"git", kGitDescription},
        {"compiler", kBuildCompiler},
        {"flags", kBuildFlags},
        {"binary_sha256", sha256_file("/proc/self/exe")}}},
      {"machine",
       {{"host", host_name()},
        {"cpu", cpu_model()},
        {"kernels", simd::kernels().name},
        {"blas", blas_description()}}},
      {"data",
       {{"source", data.facts.source}, {"sha256", data.facts.sha256}, {"notes", data.notes}}},
      {"command", command_line()}};
  return json.dump(2) + "\n";
}

}  // namespace bitlab
