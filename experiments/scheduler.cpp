#include "experiments/scheduler.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <tuple>

#include "core/base/files.h"

namespace bitlab {

namespace {

// "90 s", "1500 ms"
std::string describe(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

// What an exit says that no status explains.
std::string describe(const RunExit& exit) {
  if (!exit.killed && exit.code == 0) return "the worker ended without marking the run as done";
  if (!exit.killed)
    return "the worker ended with code " + std::to_string(exit.code) + " and no reason";
  const int signal = exit.code - 128;
  return "the worker was ended by signal " + std::to_string(signal) +
         (signal == SIGKILL ? " (out of memory?)" : "");
}

}  // namespace

int ScheduleOutcome::exit_code() const {
  if (signal != 0) return 128 + signal;
  const bool all_done = std::all_of(runs.begin(), runs.end(), [](const RunView& run) {
    return run.phase == RunPhase::Done || run.phase == RunPhase::Pruned;
  });
  return all_done ? 0 : 1;
}

Scheduler::Scheduler(const std::vector<RunJob>& jobs,
                     Launcher& launcher,
                     ScheduleObserver& observer,
                     ScheduleOptions options)
    : launcher_(launcher), observer_(observer), options_(options) {
  for (const RunJob& job : jobs) {
    Entry entry;
    entry.view.job = job;
    entries_.push_back(std::move(entry));
  }
}

void Scheduler::begin() {
  for (Entry& entry : entries_) {
    RunView& view = entry.view;
    std::tie(view.phase, view.reason) = judge(entry);
    view.earlier = view.phase == RunPhase::Done || view.phase == RunPhase::Failed ||
                   view.phase == RunPhase::Pruned;
    entry.attempt_before = view.status.attempt;
    if (view.phase == RunPhase::Queued) RunFolder(view.job.dir).mark_queued(view.job.steps);
    tell_pruner(entry);
    if (view.phase == RunPhase::Failed && options_.retry_failed) {
      view.phase = RunPhase::Queued;
      view.earlier = false;
    }
  }
  observer_.on_begin(views(), launcher_.slots());
  for (const Entry& entry : entries_)
    if (entry.view.earlier && entry.view.phase == RunPhase::Failed) observer_.on_change(entry.view);
}

ScheduleOutcome Scheduler::run(const StopRequest& stop) {
  begin();
  while (true) {
    obey(stop);
    if (!stopping()) start_queued();
    const bool waiting = count(RunPhase::Queued) + count(RunPhase::Elsewhere) > 0;
    if (count(RunPhase::Running) == 0 && (stopping() || !waiting)) break;
    for (const RunExit& exit : launcher_.poll(options_.tick)) {
      finish(entries_.at(exit.job), exit);
      tell_pruner(entries_.at(exit.job));
    }
    for (Entry& entry : entries_)
      if (entry.view.phase == RunPhase::Elsewhere) look(entry);
    tick();
    end_hopeless();
  }
  observer_.on_end(views());
  return {views(), signal_};
}

std::pair<RunPhase, std::string> Scheduler::judge(Entry& entry) const {
  RunView& view = entry.view;
  const RunFolder folder(view.job.dir);
  try {
    view.status = folder.status();
    if (folder.done()) {
      view.progress = folder.progress();
      return {RunPhase::Done, ""};
    }
    if (launcher_.claimed(view.job)) return {RunPhase::Elsewhere, ""};
    if (options_.pruner != nullptr) {
      if (view.status.state == RunState::Pruned) return {RunPhase::Pruned, view.status.reason};
      // Decided, but whoever decided it could not write that into the status any more.
      if (const auto reason = options_.pruner->decided(view.job);
          reason && view.status.attempt > 0) {
        write_end(view, {RunPhase::Pruned, *reason, {}});
        return {RunPhase::Pruned, *reason};
      }
    }
    // Of a failure from before this schedule a retry may be on its way; a newer one is final.
    const bool old_failure = options_.retry_failed && view.status.attempt == entry.attempt_before;
    if (view.status.state == RunState::Failed && !old_failure)
      return {RunPhase::Failed, view.status.reason};
    return {RunPhase::Queued, ""};
  } catch (const std::exception& e) {
    return {RunPhase::Failed, e.what()};
  }
}

void Scheduler::look(Entry& entry) {
  const auto [phase, reason] = judge(entry);
  if (phase == entry.view.phase) return;
  change(entry, phase, reason);
  tell_pruner(entry);
}

// Until each of them is done or given up; then its worker says what is missing.
bool Scheduler::held_back(const Entry& entry) const {
  const auto& needs = entry.view.job.needs;
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
    const RunPhase phase = other.view.phase;
    const bool open =
        phase == RunPhase::Queued || phase == RunPhase::Running || phase == RunPhase::Elsewhere;
    return open && std::find(needs.begin(), needs.end(), other.view.job.dir) != needs.end();
  });
}

void Scheduler::start_queued() {
  std::size_t free = launcher_.slots() - std::min(launcher_.slots(), count(RunPhase::Running));
  for (std::size_t id = 0; id < entries_.size() && free > 0 && !stopping(); ++id) {
    Entry& entry = entries_[id];
    if (entry.view.phase != RunPhase::Queued || held_back(entry)) continue;
    look(entry);  // another scheduler may have been here
    if (entry.view.phase != RunPhase::Queued) continue;
    entry.attempt_before = entry.view.status.attempt;
    entry.started = Clock::now();
    entry.ending.reset();
    try {
      launcher_.start(id, entry.view.job);
      change(entry, RunPhase::Running);
      --free;
    } catch (const std::exception& e) {
      change(entry, RunPhase::Failed, e.what());
    }
  }
}

void Scheduler::finish(Entry& entry, const RunExit& exit) {
  RunView& view = entry.view;
  const RunFolder folder(view.job.dir);
  try {
    view.status = folder.status();
    view.progress = folder.progress();
    const bool told = view.status.attempt > entry.attempt_before;  // the status is of this attempt
    const bool stopped =
        exit.code == 128 + SIGTERM || exit.code == 128 + SIGINT || (stopping() && exit.killed);
    if (folder.done()) return change(entry, RunPhase::Done);
    if (entry.ending && !launcher_.claimed(view.job)) return conclude(entry);
    if (told && view.status.state == RunState::Failed)
      return change(entry, RunPhase::Failed, view.status.reason);
    if (stopped)
      return change(entry, RunPhase::Interrupted,
                    "stopped by signal " + std::to_string(exit.code - 128));
    if (launcher_.claimed(view.job)) return change(entry, RunPhase::Elsewhere);  // it came first
    // An obstacle, such as a full disk, ended it: a failure of this command, not of the run.
    const bool said_why = told && !exit.killed && view.status.state == RunState::Interrupted &&
                          !view.status.ended.empty();
    change(entry, RunPhase::Failed, said_why ? view.status.reason : describe(exit));
  } catch (const std::exception& e) {
    change(entry, RunPhase::Failed, e.what());
  }
}

void Scheduler::change(Entry& entry, RunPhase phase, const std::string& reason) {
  entry.view.phase = phase;
  entry.view.reason = reason;
  observer_.on_change(entry.view);
  if (phase != RunPhase::Failed || !options_.fail_fast || stopping()) return;
  failed_fast_ = true;
  observer_.on_stop(0, /*at_once=*/false);
  launcher_.stop(/*at_once=*/false);
}

void Scheduler::write_end(RunView& view, const Ending& ending) const {
  const auto lock = RunLock::try_take(view.job.dir);
  if (!lock) return;
  view.status.state = ending.phase == RunPhase::Pruned ? RunState::Pruned : RunState::Failed;
  view.status.reason = ending.reason;
  view.status.ended = utc_now();
  RunFolder(view.job.dir).set_status(view.status);
}

void Scheduler::conclude(Entry& entry) {
  RunView& view = entry.view;
  const bool failed_itself =
      view.status.state == RunState::Failed && view.status.attempt > entry.attempt_before;
  if (failed_itself) return change(entry, RunPhase::Failed, view.status.reason);
  write_end(view, *entry.ending);
  change(entry, entry.ending->phase, entry.ending->reason);
}

void Scheduler::end_early(std::size_t id, RunPhase phase, const std::string& reason) {
  entries_[id].ending = Ending{phase, reason, Clock::now() + options_.grace};
  launcher_.stop_run(id, /*at_once=*/false);
}

void Scheduler::end_hopeless() {
  const Clock::time_point now = Clock::now();
  for (std::size_t id = 0; id < entries_.size(); ++id) {
    Entry& entry = entries_[id];
    if (entry.view.phase != RunPhase::Running) continue;
    if (entry.ending) {
      if (now > entry.ending->deadline) launcher_.stop_run(id, /*at_once=*/true);
    } else if (options_.timeout.count() > 0 && now - entry.started > options_.timeout) {
      end_early(id, RunPhase::Failed,
                "timed out after " + describe(options_.timeout) +
                    "; --retry-failed goes on from its last checkpoint");
    } else if (options_.pruner != nullptr && entry.view.progress) {
      const auto reason = options_.pruner->judge(entry.view.job, *entry.view.progress);
      if (reason) end_early(id, RunPhase::Pruned, *reason);
    }
  }
}

void Scheduler::tell_pruner(const Entry& entry) const {
  const RunView& view = entry.view;
  const bool ended = view.phase == RunPhase::Done || view.phase == RunPhase::Failed;
  if (options_.pruner != nullptr && ended) options_.pruner->ended(view.job, view.status);
}

void Scheduler::obey(const StopRequest& stop) {
  const int requests = std::min(2, stop.count.load());
  if (requests <= requests_obeyed_) return;
  requests_obeyed_ = requests;
  signal_ = stop.signal;
  const bool at_once = requests > 1;
  observer_.on_stop(signal_, at_once);
  launcher_.stop(at_once);
}

void Scheduler::tick() {
  for (Entry& entry : entries_) {
    RunView& view = entry.view;
    if (view.phase != RunPhase::Running && view.phase != RunPhase::Elsewhere) continue;
    if (auto progress = RunFolder(view.job.dir).progress()) view.progress = progress;
  }
  observer_.on_tick(views());
}

std::size_t Scheduler::count(RunPhase phase) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const Entry& entry) { return entry.view.phase == phase; }));
}

std::vector<RunView> Scheduler::views() const {
  std::vector<RunView> views;
  for (const Entry& entry : entries_) views.push_back(entry.view);
  return views;
}

}  // namespace bitlab
