#pragma once
// Gets the runs of an experiment done: skips what is finished, resumes what was interrupted, starts
// as many at once as the launcher takes, each after those that it needs, and shares the work with
// other schedulers on the same results folder.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/launcher.h"
#include "experiments/prune.h"
#include "experiments/run_folder.h"

namespace bitlab {

enum class RunPhase {
  Queued,
  Running,    // by this scheduler
  Elsewhere,  // by a worker of another one: waited for
  Done,
  Failed,
  Interrupted,  // ended with its state saved: the next command goes on
  Pruned,       // ended early by a rule of the sweep
};

struct RunView {
  RunJob job;
  RunPhase phase = RunPhase::Queued;
  bool earlier = false;  // it was done, pruned or had failed before this schedule began
  std::string reason;    // of Failed, Interrupted and Pruned
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
  // Workers are asked to save and end, or ended at once. signal 0: because a run failed.
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
  bool fail_fast = false;  // the first run that fails stops the others, with their state saved
  std::chrono::milliseconds timeout{0};     // of one attempt of a run; 0: none
  std::chrono::milliseconds grace{60'000};  // to save its state, for a run that is ended early
  Pruner* pruner = nullptr;                 // ends hopeless runs; null: none, and runs that were
                                            // pruned before are gone on with
};

struct ScheduleOutcome {
  std::vector<RunView> runs;
  int signal = 0;  // what stopped the schedule, 0 if nothing did

  int exit_code() const;  // 128 + signal; 1 if any run is neither done nor pruned; else 0
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
  using Clock = std::chrono::steady_clock;  // a clock that is set back ends no run

  // A run that is being ended early, and what it is then.
  struct Ending {
    RunPhase phase;
    std::string reason;
    Clock::time_point deadline;  // then it is ended at once
  };

  struct Entry {
    RunView view;
    std::int64_t attempt_before =
        0;  // attempts when this schedule began, or when it started the run
    Clock::time_point started{};
    std::optional<Ending> ending;  // decided while it runs
  };

  // What the run folder says of a run that this scheduler does not have running; reads its status.
  std::pair<RunPhase, std::string> judge(Entry& entry) const;
  void look(Entry& entry);                   // judges and tells of a change
  bool held_back(const Entry& entry) const;  // for runs of this schedule that it needs
  void start_queued();
  void finish(Entry& entry, const RunExit& exit);
  void change(Entry& entry, RunPhase phase, const std::string& reason = "");
  void begin();
  void obey(const StopRequest& stop);
  void end_hopeless();  // runs out of time, and what the pruner picks
  void end_early(std::size_t id, RunPhase phase, const std::string& reason);
  void write_end(RunView& view, const Ending& ending) const;  // into its status
  void conclude(Entry& entry);                                // of a run that was ended early
  void tell_pruner(const Entry& entry) const;
  bool stopping() const { return signal_ != 0 || failed_fast_; }
  void tick();
  std::size_t count(RunPhase phase) const;
  std::vector<RunView> views() const;

  std::vector<Entry> entries_;
  Launcher& launcher_;
  ScheduleObserver& observer_;
  ScheduleOptions options_;
  int signal_ = 0;
  int requests_obeyed_ = 0;
  bool failed_fast_ = false;
};

}  // namespace bitlab
