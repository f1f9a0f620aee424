// bitlab run: resolves an experiment, runs what is not done, shows the result.
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/run_page.h"
#include "cli/signals.h"
#include "core/base/error.h"
#include "experiments/planning.h"
#include "experiments/scheduler.h"
#include "experiments/status_screen.h"
#include "report/report.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

struct Request {
  std::string experiment;
  std::vector<std::string> overrides;
  std::size_t jobs = 0;  // 0: as many as there are cores for
  std::size_t threads = 1;
  bool retry_failed = false;
  std::string command;  // as typed
};

// Empty experiment: help was asked for, and shown.
Request parse(const std::vector<std::string>& args) {
  Request request;
  std::vector<std::string> words;
  std::int64_t jobs = 0, threads = 1, max_runs = 0;
  po::options_description shown("Options"), hidden, all;
  shown.add_options()("help,h", "show this")(
      "jobs,j", po::value(&jobs), "runs at once; default: as many as there are cores for")(
      "threads,t", po::value(&threads),
      "threads of each run, 1 by default; no result depends on it")(
      "max-runs", po::value(&max_runs), "only the first runs of the plan (sweep.max_runs)")(
      "retry-failed", po::bool_switch(&request.retry_failed), "try runs again that failed before");
  hidden.add_options()("word", po::value(&words));
  all.add(shown).add(hidden);
  const po::variables_map parsed = parse_options("run", args, all, "word");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab run NAME|FILE.toml [path=value ...]\n\nTrains what is not done of "
                 "an experiment, then "
                 "shows the result. Run it again to go on.\n\n"
              << shown;
    return {};
  }
  if (words.empty())
    throw UsageError("bitlab run", "an experiment must be named", "bitlab list shows them");
  if (parsed.count("jobs") > 0 && jobs < 1)
    throw UsageError("bitlab run", "--jobs must be at least 1, but got " + std::to_string(jobs));
  if (threads < 1)
    throw UsageError("bitlab run",
                     "--threads must be at least 1, but got " + std::to_string(threads));
  request.experiment = words.front();
  request.overrides.assign(words.begin() + 1, words.end());
  if (parsed.count("max-runs") > 0)
    request.overrides.push_back("sweep.max_runs=" + std::to_string(max_runs));
  request.jobs = static_cast<std::size_t>(jobs);
  request.threads = static_cast<std::size_t>(threads);
  request.command = "bitlab run";
  for (const std::string& arg : args) request.command += " " + arg;
  return request;
}

// Runs what is not done; the exit code.
int train(const Experiment& experiment, const Plan& plan, const Request& request) {
  const StopRequest& stop = catch_stop_signals();
  const std::size_t jobs = request.jobs > 0 ? request.jobs : available_cores() / request.threads;
  LocalLauncher launcher({kThisProgram, std::max<std::size_t>(1, jobs), request.threads});
  write_configs(experiment, plan, launcher);
  std::cerr << run_page(plan, footprints(experiment, plan), request.threads);
  StatusScreen screen(std::cerr, ::isatty(STDERR_FILENO) ? STDERR_FILENO : -1);
  const ScheduleOutcome outcome =
      Scheduler(jobs_of(plan), launcher, screen, {request.retry_failed}).run(stop);
  if (outcome.signal != 0) std::cerr << "stopped; the same command goes on\n";
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

void say_what_is_left_out(const Experiment& experiment) {
  if (experiment.duplicates > 0)
    std::cerr << experiment.duplicates << " duplicate" << (experiment.duplicates == 1 ? "" : "s")
              << " dropped: the same settings as an earlier point of the sweep\n";
  const std::size_t all = experiment.arms.size() * experiment.spec().seeds.size();
  if (experiment.max_runs > 0 && experiment.max_runs < all)
    std::cerr << "only the first " << experiment.max_runs << " of " << all << " runs\n";
}

}  // namespace

int run_command(const std::vector<std::string>& args) {
  const Request request = parse(args);
  if (request.experiment.empty()) return 0;
  const Experiment experiment =
      load_experiment(request.experiment, request.overrides, project_root());
  const DataConfig& config = experiment.spec().data;
  const Dataset data = open_dataset(config);
  warn_of_data(data, config);
  const Plan plan = make_plan(experiment, data, results_root() / experiment.name, request.command);
  say_what_is_left_out(experiment);
  write_plan(plan);

  const int code = all_done(plan) ? 0 : train(experiment, plan, request);
  if (code > 1) return code;
  const Report report = write_report(plan.results);
  std::cout << report.text;
  if (!report.figure_error.empty()) {
    std::cerr << "error: the curves could not be drawn: " << report.figure_error << "\n";
    return 1;
  }
  return code;
}

}  // namespace bitlab
