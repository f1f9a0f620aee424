#include "experiments/outlook.h"

#include <fmt/format.h>

#include <exception>
#include <map>

#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/checkpoint.h"
#include "experiments/planning.h"
#include "experiments/provenance.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Of the newest complete checkpoint; 0 without one.
std::int64_t last_saved_step(const fs::path& run_dir) {
  const auto checkpoints = list_checkpoints(run_dir);
  if (checkpoints.empty()) return 0;
  const std::string name = checkpoints.back().filename().string();  // step_00000400
  return std::stoll(name.substr(name.find('_') + 1));
}

// The commit of the binary that finished a run, if it was not this one. Empty as well where nobody
// knows.
std::string other_build(const RunFolder& folder, const std::string& this_binary) {
  if (!fs::exists(folder.file("provenance.json"))) return "";
  try {
    const RunOrigin origin = read_origin(folder);
    return origin.binary_sha256 == this_binary ? "" : origin.git;
  } catch (const Error&) {
    return "";
  }
}

void judge(Outlook& o, const RunJob& job, const Launcher& launcher, const OutlookOptions& options) {
  const RunFolder folder(job.dir);
  const RunStatus status = folder.status();
  if (folder.done()) {
    static const std::string this_binary = binary_sha256();
    o.build = other_build(folder, this_binary);
    o.fate = options.rerun ? Fate::Redo : Fate::Done;
    return;
  }
  if (launcher.claimed(job)) {
    const auto progress = folder.progress();
    o.step = progress ? progress->step : status.step;
    o.fate = Fate::Elsewhere;
    return;
  }
  o.reason = status.reason;
  o.step = last_saved_step(job.dir);
  if (options.prune && status.state == RunState::Pruned)
    o.fate = Fate::Pruned;
  else if (status.state == RunState::Failed)
    o.fate = options.retry_failed ? Fate::Retry : Fate::Failed;
  else
    o.fate = status.attempt > 0 || o.step > 0 ? Fate::Resume : Fate::New;
}

std::string at_step(std::int64_t step) {
  return step > 0 ? fmt::format("at step {}", step) : "from the start, no checkpoint was saved";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::vector<Outlook> look_ahead(const Plan& plan,
                                const Launcher& launcher,
                                const OutlookOptions& options) {
  std::vector<Outlook> outlooks;
  const std::vector<PlannedRun> runs = plan.runs();
  const std::vector<RunJob> jobs = jobs_of(plan, runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Outlook outlook;
    outlook.run = runs[i];
    try {
      judge(outlook, jobs[i], launcher, options);
    } catch (const std::exception& e) {  // a damaged status: the scheduler will not start it
      outlook.fate = Fate::Failed;
      outlook.reason = e.what();
    }
    outlooks.push_back(std::move(outlook));
  }
  return outlooks;
}

std::string describe(const Outlook& o) {
  const std::string by = o.build.empty() ? "" : ", by build " + o.build;
  switch (o.fate) {
    case Fate::New:
      return "new";
    case Fate::Resume:
      return "resume " + at_step(o.step);
    case Fate::Retry:
      return "retry after failure " + at_step(o.step) + ": " + first_line(o.reason);
    case Fate::Redo:
      return "redo: done" + by;
    case Fate::Done:
      return "done" + by;
    case Fate::Failed:
      return "failed: " + first_line(o.reason) + "; --retry-failed tries again";
    case Fate::Pruned:
      return "pruned: " + first_line(o.reason);
    case Fate::Elsewhere:
      break;
  }
  return fmt::format("running in another process, step {}", o.step);
}

std::vector<std::string> other_builds(const std::vector<Outlook>& outlooks) {
  std::map<std::string, std::size_t> counts;
  for (const Outlook& o : outlooks)
    if (o.fate == Fate::Done && !o.build.empty()) ++counts[o.build];
  std::vector<std::string> lines;
  const std::string mine = build_description();
  for (const auto& [build, count] : counts)
    lines.push_back(fmt::format("{} {} finished by build {}, this is {}; --rerun to redo {}", count,
                                count == 1 ? "run was" : "runs were", build,
                                build == mine ? "another one of that commit" : mine,
                                count == 1 ? "it" : "them"));
  return lines;
}

std::size_t set_aside(const std::vector<Outlook>& outlooks) {
  std::size_t moved = 0;
  for (const Outlook& o : outlooks) {
    if (o.fate != Fate::Redo) continue;
    const RunFolder folder(o.run.dir);
    const auto lock = RunLock::try_take(o.run.dir);  // against another command that does the same
    if (!lock || !folder.done()) continue;
    const fs::path old = o.run.dir.string() + ".old";
    std::error_code error;
    fs::remove_all(old, error);
    if (!error) fs::rename(o.run.dir, old, error);
    if (error)
      throw Error(o.run.dir.string(),
                  "cannot be moved to " + old.string() + ": " + error.message());
    sync_path(old.parent_path());
    ++moved;
  }
  return moved;
}

}  // namespace bitlab
