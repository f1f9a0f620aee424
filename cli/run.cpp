// bitlab run: resolves an experiment, runs what is not done, shows the result.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <set>

#include "cli/claims.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/layer_kinds.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/run_page.h"
#include "cli/schedule_options.h"
#include "cli/signals.h"
#include "experiments/arm_references.h"
#include "experiments/core_share.h"
#include "experiments/outlook.h"
#include "experiments/planning.h"
#include "experiments/pretrained.h"
#include "experiments/scheduler.h"
#include "experiments/status_screen.h"
#include "experiments/step_time.h"
#include "experiments/time_estimate.h"
#include "report/report.h"

namespace bitlab {

namespace {

bool prunes(const Experiment& experiment) { return experiment.spec().prune.rule != "none"; }

// Runs what is not done of some runs of the plan; the exit code.
int train(const Experiment& experiment,
          const Plan& plan,
          const std::vector<PlannedRun>& runs,
          const CoreShare& share,
          const RunRequest& request) {
  const StopRequest& stop = catch_stop_signals();
  LocalLauncher launcher({kThisProgram, share});
  write_configs(experiment, plan, launcher);
  std::cerr << run_page(plan, footprints(experiment, plan), share.threads)
            << layer_kinds_page(experiment, static_cast<std::size_t>(plan.data.vocab_size));
  StatusScreen screen(std::cerr, ::isatty(STDERR_FILENO) ? STDERR_FILENO : -1);
  std::optional<Pruner> pruner;
  if (prunes(experiment)) pruner.emplace(experiment.spec().prune, plan.results);
  ScheduleOptions options = schedule_options(request.schedule);
  options.pruner = pruner ? &*pruner : nullptr;
  const ScheduleOutcome outcome =
      Scheduler(jobs_of(plan, runs), launcher, screen, options).run(stop);
  if (outcome.signal != 0)
    std::cerr << "stopped; the same command" << (request.rerun ? " without --rerun" : "")
              << " goes on\n";
  return outcome.exit_code();
}

// A source that is not the first choice changes what every number means, so that is not said in
// passing.
void warn_of_data(const Dataset& data, const DataConfig& config) {
  for (const std::string& note : data.notes) std::cerr << "note: " << note << "\n";
  if (data.facts.source != config.sources.front())
    std::cerr << "WARNING: this is not '" << config.sources.front() << "': the data is '"
              << data.facts.source
              << "'. Its losses cannot be compared with those of another text.\n";
}

// Before anything is planned: the hashes of the weights enter the ids of runs.
void fetch_pretrained(const Experiment& experiment) {
  std::set<std::string> names;
  for (const Arm& arm : experiment.arms) {
    const std::string name = pretrained_name(arm.spec);
    if (name.empty() || is_arm_reference(name) || !names.insert(name).second) continue;
    const Pretrained found = find_pretrained(name, ProgressLine());
    for (const std::string& note : found.notes) std::cerr << "note: " << note << "\n";
    for (const std::filesystem::path& file : found.weights)
      std::cerr << "weights: " << file.string() << "\n";
  }
}

void say_what_is_left_out(const Experiment& experiment) {
  if (experiment.duplicates > 0)
    std::cerr << experiment.duplicates << " duplicate" << (experiment.duplicates == 1 ? "" : "s")
              << " dropped: the same settings as an earlier point of the sweep\n";
  const std::size_t all = experiment.run_count();
  if (experiment.max_runs > 0 && experiment.max_runs < all)
    std::cerr << "only the first " << experiment.max_runs << " of " << all << " runs\n";
}

bool all_done(const std::vector<Outlook>& outlooks) {
  return std::all_of(outlooks.begin(), outlooks.end(),
                     [](const Outlook& o) { return o.fate == Fate::Done; });
}

int show_result(const Plan& plan, int code) {
  const Report report = write_report(plan.results);
  std::cout << report.text;
  if (report.figure_error.empty()) return code;
  std::cerr << "error: the curves could not be drawn: " << report.figure_error << "\n";
  return 1;
}

// The plan of an experiment on its data, with all that the user has to be told of it.
Plan plan_of(const Experiment& experiment, const std::string& command) {
  const DataConfig& config = experiment.spec().data;
  const Dataset data = open_dataset(config, ProgressLine());
  warn_of_data(data, config);
  fetch_pretrained(experiment);
  return make_plan(experiment, data, results_root() / experiment.name, command);
}

std::vector<PlannedRun> to_run(const std::vector<Outlook>& outlooks) {
  std::vector<PlannedRun> runs;
  for (const Outlook& o : outlooks)
    if (o.to_run()) runs.push_back(o.run);
  return runs;
}

// What a plan needs of another experiment: that is planned as a whole, so that reports of it stay
// whole, but no more is started than is needed.
struct OtherPlan {
  Experiment experiment;
  Plan plan;
  std::vector<PlannedRun> wanted;
  std::vector<Outlook> outlooks;  // of these
};

std::vector<Outlook> look(const Plan& plan, const OutlookOptions& options) {
  return look_ahead(plan, LocalLauncher(LocalLauncherOptions{kThisProgram}), options);
}

CoreShare share_for(const Experiment& experiment,
                    const Plan& plan,
                    const std::vector<Outlook>& outlooks,
                    const RunRequest& request) {
  return share_cores(available_cores(), request.share, experiment, plan, outlooks);
}

OtherPlan plan_other(const OtherRuns& needed, const RunRequest& request) {
  OtherPlan other;
  other.experiment = load_experiment(needed.experiment, {}, project_root(), request.plugins);
  other.plan = plan_of(other.experiment, needed.command());
  other.wanted = runs_for(other.experiment.arms, other.plan, needed);
  other.outlooks = look(other.plan, {.retry_failed = request.schedule.retry_failed,
                                     .prune = prunes(other.experiment)});
  std::erase_if(other.outlooks, [&](const Outlook& o) {
    return std::none_of(other.wanted.begin(), other.wanted.end(),
                        [&](const PlannedRun& run) { return run.dir == o.run.dir; });
  });
  return other;
}

// Trains what `runs` of a plan need of other experiments. The exit code of a signal, or 0. Throws
// Error if some of it came to nothing.
int train_others(const Experiment& experiment,
                 const Plan& plan,
                 const std::vector<PlannedRun>& runs,
                 const RunRequest& request) {
  for (const OtherRuns& needed : missing_other_runs(experiment.arms, plan, runs)) {
    std::cerr << "first, for " << experiment.name << ": " << needed.command() << "\n";
    const OtherPlan other = plan_other(needed, request);
    if (const int code =
            train_others(other.experiment, other.plan, to_run(other.outlooks), request);
        code != 0)
      return code;
    write_plan(other.plan);
    set_aside(other.outlooks);
    const CoreShare share = share_for(other.experiment, other.plan, other.outlooks, request);
    if (const int code = train(other.experiment, other.plan, other.wanted, share, request);
        code > 1)
      return code;
  }
  const std::vector<OtherRuns> missing = missing_other_runs(experiment.arms, plan, runs);
  if (missing.empty()) return 0;
  throw Error(experiment.name,
              "must begin with runs of " + missing.front().experiment +
                  ", but not all of them could be finished",
              missing.front().command() + " says why; --arm leaves out what begins with them");
}

// What would be run under this heading, and first what it needs of other experiments and was not
// shown yet.
void show_plan(const Experiment& experiment,
               const Plan& plan,
               const std::vector<Outlook>& outlooks,
               const RunRequest& request,
               std::set<std::string>& shown,
               const std::string& heading = "") {
  for (const OtherRuns& needed : missing_other_runs(experiment.arms, plan, to_run(outlooks))) {
    OtherPlan other = plan_other(needed, request);
    std::erase_if(other.outlooks,
                  [&](const Outlook& o) { return !shown.insert(o.run.dir.string()).second; });
    if (!other.outlooks.empty())
      show_plan(other.experiment, other.plan, other.outlooks, request, shown,
                "first, for " + experiment.name + ": " + needed.command() + "\n");
  }
  const CoreShare share = share_for(experiment, plan, outlooks, request);
  const TimeEstimate time = estimate_time(experiment, plan, outlooks, share, measured_step_seconds);
  std::cout << heading << dry_run_page(plan, outlooks, time, share) << "\n"
            << layer_kinds_page(experiment, static_cast<std::size_t>(plan.data.vocab_size));
}

int run(const RunRequest& request) {
  Experiment experiment =
      load_experiment(request.experiment, request.overrides, project_root(), request.plugins);
  check_claims(experiment);
  keep_arms(experiment, request.arms);
  const Plan plan = plan_of(experiment, request.command);
  say_what_is_left_out(experiment);

  const std::vector<Outlook> outlooks =
      look(plan, {request.schedule.retry_failed, request.rerun, prunes(experiment)});
  for (const std::string& line : other_builds(outlooks)) std::cerr << "note: " << line << "\n";
  if (request.dry_run) {
    std::set<std::string> shown;
    show_plan(experiment, plan, outlooks, request, shown);
    return 0;
  }
  if (const int code = train_others(experiment, plan, to_run(outlooks), request); code != 0)
    return code;
  write_plan(plan);
  set_aside(outlooks);
  const CoreShare share = share_for(experiment, plan, outlooks, request);
  const int code = all_done(outlooks) ? 0 : train(experiment, plan, plan.runs(), share, request);
  return code > 1 ? code : show_result(plan, code);
}

}  // namespace

int run_command(const std::vector<std::string>& args) {
  const RunRequest request = parse_run_request(args);
  return request.experiment.empty() ? 0 : run(request);
}

}  // namespace bitlab
