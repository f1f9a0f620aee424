#pragma once
// Gets the runs of an experiment done: skips what is finished, resumes what was interrupted, starts
// as many at once as the launcher takes, and shares the work with other schedulers on the same
// results folder.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/launcher.h"
#include "experiments/run_folder.h"

namespace bitlab {

enum class RunPhase {
  Queued,
  Running,    // by this scheduler
  Elsewhere,  // by a worker of another one: waited for
  Done,
  Failed,
  Interrupted,  // ended with its state saved: the next command goes on
};

struct RunView {
  RunJob job;
  RunPhase phase = RunPhase::Queued;
  bool earlier = false;  // it was done, or had failed, before this schedule began
  std::string reason;    // of Failed and Interrupted
  RunStatus status;      // as read last
  std::optional<RunProgress> progress;
};

// Who is told. The scheduler itself prints nothing.
class ScheduleObserver {
 public:
  virtual ~ScheduleObserver() = default;
  virtual void on_begin(const std::vector<RunView>& /*runs*/, std::size_t /*slots*/) {}
  virtual void on_change(const RunView& /*run*/) {}  // of its phase
  virtual void on_tick(const std::vector<RunView>& /*runs*/) {
  }  // a few times a second, progress read anew
  virtual void on_stop(int /*signal*/, bool /*at_once*/) {}
  virtual void on_end(const std::vector<RunView>& /*runs*/) {}
};

// Filled by signal handlers. The first request lets workers save their state, the second ends them
// at once.
struct StopRequest {
  std::atomic<int> signal{0};
  std::atomic<int> count{0};
};

struct ScheduleOptions {
  bool retry_failed = false;  // runs that failed earlier are tried again, once
  std::chrono::milliseconds tick{200};
};

struct ScheduleOutcome {
  std::vector<RunView> runs;
  int signal = 0;  // what stopped the schedule, 0 if nothing did

  int exit_code() const;  // 128 + signal; 1 if any run is not done; else 0
};

class Scheduler {
 public:
  Scheduler(const std::vector<RunJob>& jobs,
            Launcher& launcher,
            ScheduleObserver& observer,
            ScheduleOptions options);

  // Returns when every run is done or failed, or after a stop when no run of this scheduler is
  // left. A run that cannot be started counts as failed; the others go on.
  ScheduleOutcome run(const StopRequest& stop);

 private:
  struct Entry {
    RunView view;
    std::int64_t attempt_before =
        0;  // attempts when this schedule began, or when it started the run
  };

  // What the run folder says of a run that this scheduler does not have running; reads its status.
  std::pair<RunPhase, std::string> judge(Entry& entry) const;
  void look(Entry& entry);  // judges and tells of a change
  void start_queued();
  void finish(Entry& entry, const RunExit& exit);
  void change(Entry& entry, RunPhase phase, const std::string& reason = "");
  void obey(const StopRequest& stop);
  void tick();
  std::size_t count(RunPhase phase) const;
  std::vector<RunView> views() const;

  std::vector<Entry> entries_;
  Launcher& launcher_;
  ScheduleObserver& observer_;
  ScheduleOptions options_;
  int signal_ = 0;
  int requests_obeyed_ = 0;
};

}  // namespace bitlab
