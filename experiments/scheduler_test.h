#pragma once
// A schedule of runs that no process runs. Tests only.
#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"
#include "experiments/scheduler.h"

namespace bitlab {

inline RunStatus status_of(RunState state, std::int64_t attempt, const std::string& reason = "") {
  RunStatus status;
  status.state = state;
  status.attempt = attempt;
  status.reason = reason;
  return status;
}

// Runs no processes: each started run ends at the next poll, in the way its `ends` says.
class FakeLauncher : public Launcher {
 public:
  std::size_t slots() const override { return slot_count; }

  void start(std::size_t id, const RunJob& job) override {
    if (refuses == job.arm) throw Error("fake", "cannot be started");
    started.push_back(job.arm + " " + std::to_string(job.seed));
    const RunFolder folder(job.dir);
    folder.set_status(status_of(RunState::Interrupted,
                                folder.status().attempt + 1));  // "running" asks for a lock
    running[id] = job;
    most_at_once = std::max(most_at_once, running.size());
  }

  std::vector<RunExit> poll(std::chrono::milliseconds) override {
    ++polls;
    if (on_poll) on_poll();
    std::vector<RunExit> exits;
    for (auto it = running.begin(); it != running.end();) {
      const RunExit exit = end(it->first, it->second);
      if (exit.code < 0) {
        ++it;
        continue;
      }
      exits.push_back(exit);
      it = running.erase(it);
    }
    return exits;
  }

  void stop_run(std::size_t id, bool at_once) override {
    run_stops.push_back(running.at(id).arm + (at_once ? " at once" : ""));
  }
  void stop(bool at_once) override { stops.push_back(at_once); }
  bool claimed(const RunJob& job) const override { return claimed_arm == job.arm; }

  static RunExit succeed(std::size_t id, const RunJob& job) {
    RunFolder(job.dir).mark_done();
    return {id, 0, false};
  }
  static RunExit go_on(std::size_t id, const RunJob&) { return {id, -1, false}; }

  std::size_t slot_count = 2, most_at_once = 0;
  int polls = 0;
  std::string refuses, claimed_arm;
  std::vector<std::string> started;
  std::vector<bool> stops;
  std::vector<std::string> run_stops;
  std::map<std::size_t, RunJob> running;
  std::function<void()> on_poll;
  std::function<RunExit(std::size_t, const RunJob&)> end = succeed;  // code < 0: goes on
};

// Writes down every change.
class Recorder : public ScheduleObserver {
 public:
  void on_change(const RunView& run) override {
    const std::string key = run.job.arm + " " + std::to_string(run.job.seed);
    reasons[key] = run.reason;
    phases[key].push_back(run.phase);
  }
  std::map<std::string, std::string> reasons;
  std::map<std::string, std::vector<RunPhase>> phases;
};

struct Bench {
  TestFolder folder;
  std::vector<RunJob> jobs;
  FakeLauncher launcher;
  Recorder recorder;
  StopRequest stop;
  ScheduleOptions options;

  Bench() {
    for (const std::string arm : {"a", "b"})
      for (const std::uint64_t seed : {1, 2})
        jobs.push_back({"x", arm, seed, 100, folder.path() / arm / std::to_string(seed)});
  }
  RunFolder run(std::size_t i) const { return RunFolder(jobs[i].dir); }
  ScheduleOutcome schedule(bool retry_failed = false) {
    options.retry_failed = retry_failed;
    options.tick = std::chrono::milliseconds(1);
    return Scheduler(jobs, launcher, recorder, options).run(stop);
  }
};

using Names = std::vector<std::string>;
using Phases = std::vector<RunPhase>;

}  // namespace bitlab
