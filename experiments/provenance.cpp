#include "experiments/provenance.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "build_info.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/simd/kernels.h"
#include "core/tensor/blas.h"
#include "experiments/build_source.h"
#include "experiments/plugin_loader.h"

extern char** environ;

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

std::vector<std::string> arguments() {
  const std::string text = read_file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\0', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

// Variables that bitlab or its BLAS listens to.
ordered_json environment() {
  ordered_json found = ordered_json::object();
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!text.starts_with("BITLAB_") && !text.starts_with("OPENBLAS_")) continue;
    const std::size_t equals = text.find('=');
    found[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return found;
}

ordered_json build_json() {
  const BuildSource& source = build_source();
  const auto kernel_flags = source.kernel_flags.find(simd::kernels().name);
  return {{"version", kBuildVersion},
          {"git", source.description()},
          {"commit", source.commit},
          {"dirty", source.dirty()},
          {"diff", source.dirty() ? "git.diff" : ""},
          {"diff_taken", "by the build, of what it compiled"},
          {"compiler", kBuildCompiler},
          {"flags", kBuildFlags},
          {"compiler_flags", source.flags},
          {"kernel_flags", kernel_flags == source.kernel_flags.end() ? "" : kernel_flags->second},
          {"binary_sha256", binary_sha256()}};
}

ordered_json plugins_json() {
  ordered_json all = ordered_json::array();
  for (const PluginLibrary& plugin : loaded_plugins())
    all.push_back({{"name", plugin.name},
                   {"version", plugin.version},
                   {"file", plugin.file.string()},
                   {"sha256", plugin.sha256}});
  return all;
}

ordered_json attempt_json(const WorkerOptions& options,
                          const RunStatus& status,
                          std::int64_t first_step) {
  return {{"attempt", status.attempt},
          {"first_step", first_step},
          {"started", utc_now()},
          {"ended", ""},
          {"state", ""},
          {"host", host_name()},
          {"threads", options.threads},
          {"kernels", simd::kernels().name},
          {"git", build_source().description()},
          {"binary_sha256", binary_sha256()}};
}

// What is there, or an empty object: provenance that is damaged must not cost a run.
ordered_json read_provenance(const RunFolder& folder) {
  const fs::path path = folder.file("provenance.json");
  if (!fs::is_regular_file(path)) return ordered_json::object();
  const auto json = ordered_json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : ordered_json::object();
}

ordered_json machine_json() {
  return {{"host", host_name()},
          {"cpu", cpu_model()},
          {"kernels", simd::kernels().name},
          {"blas", blas_description()}};
}

bool same_threads(const ordered_json& provenance) {
  const ordered_json attempts = provenance.value("attempts", ordered_json::array());
  return std::all_of(attempts.begin(), attempts.end(), [&](const ordered_json& attempt) {
    return attempt.at("threads") == provenance.at("threads");
  });
}

void write_provenance(const RunFolder& folder, const ordered_json& json) {
  write_file_atomic(folder.file("provenance.json"), json.dump(2) + "\n");
}

}  // namespace

std::string BuildSource::description() const {
  return commit.substr(0, 12) + (dirty() ? "-dirty" : "");
}

std::string binary_sha256() {
  static const std::string hash = sha256_file("/proc/self/exe");
  return hash;
}

std::string version_line() {
  return std::string("bitlab ") + kBuildVersion + " (" + build_description() + ", " +
         kBuildCompiler + ", " + kBuildFlags + ")";
}

std::string build_description() { return build_source().description(); }

std::string host_name() {
  char name[256] = "unknown";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

void begin_provenance(const RunFolder& folder,
                      const WorkerOptions& options,
                      const Dataset& data,
                      const RunStatus& status,
                      std::int64_t first_step) {
  ordered_json attempts = read_provenance(folder).value("attempts", ordered_json::array());
  attempts.push_back(attempt_json(options, status, first_step));
  const std::vector<std::string> argv = arguments();
  const DataFacts& facts = data.facts;
  const ordered_json json = {{"experiment", options.experiment},
                             {"arm", options.arm},
                             {"seed", options.seed},
                             {"threads", options.threads},
                             {"started", status.started},
                             {"ended", ""},
                             {"build", build_json()},
                             {"machine", machine_json()},
                             {"data",
                              {{"source", facts.source},
                               {"sha256", facts.sha256},
                               {"bytes", facts.bytes},
                               {"train_tokens", facts.train_tokens},
                               {"val_tokens", facts.val_tokens},
                               {"train_bytes", facts.train_bytes},
                               {"val_bytes", facts.val_bytes},
                               {"tokenizer", facts.tokenizer},
                               {"notes", data.notes}}},
                             {"plugins", plugins_json()},
                             {"command", joined(argv)},
                             {"argv", argv},
                             {"environment", environment()},
                             {"attempts", attempts}};
  if (build_source().dirty())
    write_file_atomic(folder.file("git.diff"), build_source().diff);
  else
    fs::remove(folder.file("git.diff"));
  write_provenance(folder, json);
}

void end_provenance(const RunFolder& folder, const RunStatus& status) {
  ordered_json json = read_provenance(folder);
  if (!json.contains("attempts") || json["attempts"].empty()) return;
  ordered_json& last = json["attempts"].back();
  if (last.value("attempt", std::int64_t{0}) != status.attempt) return;  // it never began this one
  json["ended"] = status.ended;
  last["ended"] = status.ended;
  last["state"] = to_string(status.state);
  write_provenance(folder, json);
}

void write_import_provenance(const RunFolder& folder, const ImportedFrom& from) {
  const std::vector<std::string> argv = arguments();
  ordered_json files = ordered_json::array();
  for (const ImportedFrom::File& file : from.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  write_provenance(
      folder, {{"imported", {{"source", from.source}, {"format", from.format}, {"files", files}}},
               {"build", build_json()},
               {"machine", machine_json()},
               {"command", joined(argv)},
               {"argv", argv},
               {"environment", environment()}});
}

RunOrigin read_origin(const RunFolder& folder) {
  const fs::path path = folder.file("provenance.json");
  try {
    const ordered_json j = ordered_json::parse(read_file(path));
    if (j.contains("imported"))
      throw UsageError(folder.dir().string(),
                       "must be a run that was trained here, but was imported");
    return {j.at("experiment"),
            j.at("arm"),
            j.at("seed"),
            j.at("threads"),
            same_threads(j),
            j.at("data").at("source"),
            j.at("data").at("sha256"),
            j.at("build").at("git"),
            j.at("build").at("binary_sha256"),
            j.at("machine").at("kernels")};
  } catch (const nlohmann::json::exception& e) {
    throw Error(path.string(), std::string("must be a run's provenance, but: ") + e.what());
  }
}

}  // namespace bitlab
