#include "experiments/run_folder.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kStatusFormat = 1;  // the newest that is known; without the key it is 1

constexpr std::array<const char*, 6> kStates = {"queued", "running",     "done",
                                                "failed", "interrupted", "pruned"};

RunState parse_state(const std::string& text, const fs::path& path) {
  for (size_t i = 0; i < kStates.size(); ++i)
    if (text == kStates[i]) return static_cast<RunState>(i);
  throw Error(
      path.string(),
      "state must be queued, running, done, failed, interrupted or pruned, but is '" + text + "'");
}

// JSON has no NaN: null stands for it.
json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }
double number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                   : found->get<double>();
}

json number(const std::optional<double>& x) { return x ? number(*x) : json(nullptr); }
std::optional<double> maybe(const json& object, const char* key) {
  const double x = number(object, key);
  return std::isfinite(x) ? std::optional<double>(x) : std::nullopt;
}

RunStatus parse_status(const json& j, const fs::path& path) {
  const int format = j.value("format", 1);
  if (format > kStatusFormat)
    throw Obstacle(path.string(),
                   "must be of format " + std::to_string(kStatusFormat) +
                       " or older, but a newer bitlab wrote it (format " + std::to_string(format) +
                       ")",
                   "use that version, or a newer one");
  RunStatus s;
  s.state = parse_state(j.at("state"), path);
  s.step = j.at("step");
  s.steps = j.at("steps");
  s.attempt = j.at("attempt");
  s.pid = j.value("pid", s.pid);  // published runs do not say where they ran
  s.host = j.value("host", s.host);
  s.started = j.at("started");
  s.ended = j.at("ended");
  s.reason = j.at("reason");
  s.train_seconds = j.at("train_seconds");
  s.wall_seconds = j.at("wall_seconds");
  s.tokens_per_s = j.at("tokens_per_s");
  s.bytes_full = j.at("bytes_full");
  s.bytes_packed = j.at("bytes_packed");
  s.val_loss = maybe(j, "val_loss");
  s.val_loss_best = maybe(j, "val_loss_best");
  s.train_loss = maybe(j, "train_loss");
  s.accuracy = maybe(j, "accuracy");
  s.f1 = maybe(j, "f1");
  s.imported = j.value("imported", "");
  return s;
}

std::string status_text(const RunStatus& s) {
  json j = {{"format", kStatusFormat},
            {"state", to_string(s.state)},
            {"step", s.step},
            {"steps", s.steps},
            {"attempt", s.attempt},
            {"pid", s.pid},
            {"host", s.host},
            {"started", s.started},
            {"ended", s.ended},
            {"reason", s.reason},
            {"train_seconds", s.train_seconds},
            {"wall_seconds", s.wall_seconds},
            {"tokens_per_s", s.tokens_per_s},
            {"bytes_full", s.bytes_full},
            {"bytes_packed", s.bytes_packed},
            {"val_loss", number(s.val_loss)},
            {"val_loss_best", number(s.val_loss_best)},
            {"train_loss", number(s.train_loss)}};
  if (s.accuracy) j["accuracy"] = *s.accuracy;
  if (s.f1) j["f1"] = *s.f1;
  if (!s.imported.empty()) j["imported"] = s.imported;
  return j.dump(2) + "\n";
}

}  // namespace

std::string to_string(RunState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<RunLock> RunLock::try_take(const fs::path& run_dir) {
  std::error_code error;
  fs::create_directories(run_dir, error);
  if (error)
    throw Obstacle(run_dir.string(), "cannot be created: " + error.message(),
                   "is the results folder writable?");
  std::optional<FileLock> lock = FileLock::try_take(run_dir / "lock");
  if (!lock) return std::nullopt;
  return RunLock(std::move(*lock));
}

bool RunLock::held(const fs::path& run_dir) { return FileLock::held(run_dir / "lock"); }

RunStatus RunFolder::status() const {
  const fs::path path = file("status.json");
  if (!fs::exists(path)) return {};
  RunStatus status;
  const std::string text = read_file(path);
  if (text.empty()) return {};  // mark_queued() just before a power cut: nothing had begun
  try {
    status = parse_status(json::parse(text), path);
  } catch (const json::exception& e) {
    throw Error(path.string(), std::string("must be a run's status, but: ") + e.what(),
                "delete the file to start the run again from its last checkpoint");
  }
  if (status.state == RunState::Running && !RunLock::held(dir_)) {
    status.state = RunState::Interrupted;
    status.reason = "the worker died";
  }
  return status;
}

void RunFolder::set_status(const RunStatus& s) const {
  write_file_atomic(file("status.json"), status_text(s));
}

void RunFolder::mark_queued(std::int64_t steps) const {
  RunStatus queued;
  queued.steps = steps;
  const fs::path temporary = file("status.json.queued" + std::to_string(::getpid()));
  std::error_code ignored;  // a full disk shows where it matters
  fs::create_directories(dir_, ignored);
  if (std::ofstream(temporary) << status_text(queued) << std::flush)
    fs::create_hard_link(temporary, file("status.json"), ignored);  // unless there is one
  fs::remove(temporary, ignored);
}

bool RunFolder::done() const { return fs::exists(file("DONE")); }

void RunFolder::mark_done() const { write_file_atomic(file("DONE"), utc_now() + "\n"); }

std::optional<RunProgress> RunFolder::progress() const {
  if (!fs::is_regular_file(file("progress.json"))) return std::nullopt;
  std::ifstream in(file("progress.json"));
  const json j = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!j.is_object() || !j.contains("step") || !j.contains("steps")) return std::nullopt;
  return RunProgress{j["step"],
                     j["steps"],
                     number(j, "loss"),
                     number(j, "val_loss"),
                     number(j, "tokens_per_s"),
                     number(j, "eta_seconds")};
}

void RunFolder::set_progress(const RunProgress& p) const {
  const json j = {{"step", p.step},
                  {"steps", p.steps},
                  {"loss", number(p.loss)},
                  {"val_loss", number(p.val_loss)},
                  {"tokens_per_s", number(p.tokens_per_s)},
                  {"eta_seconds", number(p.eta_seconds)}};
  const fs::path temporary = file("progress.json.tmp");
  std::ofstream(temporary) << j.dump() << "\n";
  std::error_code ignored;  // progress is a courtesy: a full disk shows where it matters
  fs::rename(temporary, file("progress.json"), ignored);
}

}  // namespace bitlab
