#include "report/clean.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/temporaries.h"
#include "report/filter.h"
#include "report/index.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

std::uintmax_t size_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return fs::file_size(path, error);
  std::uintmax_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path, error))
    if (entry.is_regular_file(error)) sum += entry.file_size(error);
  return sum;
}

bool finished_run(const RunRecord& record) {
  return record.run.done() || fs::exists(record.run.dir / "DONE");
}

bool is_leftover(const RunRecord& record, const CleanScope& scope) {
  if (!fs::exists(record.run.dir) || FileLock::held(record.run.dir / "lock")) return false;
  if (finished_run(record)) return scope.finished;
  if (!record.planned) return true;
  switch (record.run.state) {
    case SeedState::Interrupted:
      return scope.interrupted;
    case SeedState::Failed:
    case SeedState::Unreadable:
      return true;
    default:
      return false;
  }
}

std::string describe(const RunRecord& record) {
  std::string text = fmt::format("run {}, {} seed {}: {}", record.id, record.arm, record.run.seed,
                                 to_string(record.run.state));
  if (record.run.state == SeedState::Interrupted)
    text += fmt::format(" at step {} of {}", record.run.step, record.run.steps);
  if (!record.run.reason.empty())
    text += ": " + record.run.reason.substr(0, record.run.reason.find('\n'));
  return text + (record.planned ? "" : " (of an earlier plan)");
}

// The run folder that a path is in, if any.
std::optional<fs::path> run_folder_of(const fs::path& path) {
  for (fs::path dir = path.parent_path(); dir != dir.parent_path(); dir = dir.parent_path())
    if (fs::exists(dir / "status.json") || fs::exists(dir / "lock")) return dir;
  return std::nullopt;
}

// Of a worker that is gone.
bool is_idle_temporary(const fs::path& path) {
  if (!is_abandoned_temporary(path)) return false;
  const auto run = run_folder_of(path);
  return !run || !FileLock::held(*run / "lock");
}

void add_temporaries(const fs::path& folder, std::vector<Leftover>& found) {
  const std::size_t runs = found.size();
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!is_idle_temporary(entry.path())) continue;
    const auto run = run_folder_of(entry.path());
    const bool listed =
        std::any_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(runs),
                    [&](const Leftover& leftover) { return run && leftover.path == *run; });
    if (!listed) found.push_back({entry.path(), "temporary file", size_of(entry.path())});
  }
}

}  // namespace

std::vector<Leftover> find_leftovers(const fs::path& results_folder,
                                     const std::string& filter,
                                     const CleanScope& scope) {
  std::vector<Leftover> found;
  for (const RunRecord& record : filtered(read_index(results_folder), filter))
    if (is_leftover(record, scope))
      found.push_back(
          {record.run.dir, describe(record), size_of(record.run.dir), true, finished_run(record)});
  if (filter.empty()) add_temporaries(results_folder, found);
  return found;
}

bool remove_leftover(const Leftover& leftover) {
  const std::optional<FileLock> lock =
      leftover.run ? FileLock::try_take(leftover.path / "lock") : std::nullopt;
  if (leftover.run && !lock) return false;
  // What became of it while somebody was asked.
  if (leftover.run && !leftover.finished && fs::exists(leftover.path / "DONE")) return false;
  if (!leftover.run && !is_idle_temporary(leftover.path)) return false;
  std::error_code error;
  fs::remove_all(leftover.path, error);
  if (error) throw Error(leftover.path.string(), "cannot be deleted: " + error.message());
  const fs::path arm = leftover.path.parent_path();
  if (leftover.run && fs::is_empty(arm, error)) fs::remove(arm, error);
  return true;
}

}  // namespace bitlab
