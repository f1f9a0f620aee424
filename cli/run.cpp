// bitlab run: resolves an experiment, runs what is not done, shows the result.
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/run_page.h"
#include "cli/signals.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/dataset.h"
#include "experiments/plan.h"
#include "experiments/scheduler.h"
#include "experiments/status_screen.h"
#include "layers/models/model.h"
#include "report/report.h"

namespace bitlab {

namespace fs = std::filesystem;
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
  std::int64_t jobs = 0, threads = 1;
  po::options_description shown("Options"), hidden, all;
  shown.add_options()("help,h", "show this")(
      "jobs,j", po::value(&jobs), "runs at once; default: as many as there are cores for")(
      "threads,t", po::value(&threads),
      "threads of each run, 1 by default; no result depends on it")(
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
  request.jobs = static_cast<std::size_t>(jobs);
  request.threads = static_cast<std::size_t>(threads);
  request.command = "bitlab run";
  for (const std::string& arg : args) request.command += " " + arg;
  return request;
}

PlannedArm plan_arm(const Arm& arm, const DataFacts& facts) {
  const LayerPtr net = models()
                           .at(arm.spec.model_name)
                           .build(*arm.spec.model, static_cast<std::size_t>(facts.vocab_size));
  const ParamStore params(*net);
  PlannedArm planned;
  planned.name = arm.name;
  planned.hash = arm_hash(arm, facts);
  planned.base = arm.base;
  planned.axes = arm.axes;
  planned.dir = arm.base + "-" + planned.hash;
  planned.params = static_cast<std::int64_t>(params.size());
  planned.ternary_params = static_cast<std::int64_t>(params.ternary_size());
  planned.steps = arm.spec.train.steps;
  planned.tokens_per_step = arm.spec.train.batch_size * arm.spec.train.accumulate *
                            static_cast<std::int64_t>(arm.spec.seq_len());
  planned.flops_per_token = 6 * net->macs_per_row(arm.spec.seq_len());
  return planned;
}

Plan make_plan(const Experiment& experiment, const Dataset& data, const std::string& command) {
  const Spec& spec = experiment.spec();
  Plan plan;
  plan.experiment = experiment.name;
  plan.title = spec.title;
  plan.question = spec.question;
  plan.claims = spec.claims;
  plan.command = command;
  plan.baseline = experiment.baseline();
  plan.data = data.facts;
  plan.references = reference_losses(data);
  for (const Arm& arm : experiment.arms) plan.arms.push_back(plan_arm(arm, data.facts));
  plan.seeds = spec.seeds;
  plan.results = results_root() / experiment.name;
  return plan;
}

std::vector<RunJob> jobs_of(const Plan& plan) {
  std::vector<RunJob> jobs;
  for (const PlannedRun& run : plan.runs())
    jobs.push_back(
        {plan.experiment, plan.arms[run.arm].name, run.seed, plan.arms[run.arm].steps, run.dir});
  return jobs;
}

// Writes each run's config.toml, except where a run is done or under way: its config is what it ran
// with.
void write_configs(const Experiment& experiment, const Plan& plan, const Launcher& launcher) {
  const std::vector<PlannedRun> runs = plan.runs();
  const std::vector<RunJob> jobs = jobs_of(plan);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFolder folder(runs[i].dir);
    if (folder.done() || launcher.claimed(jobs[i])) continue;
    const fs::path path = folder.file("config.toml");
    const std::string text = run_config(experiment.arms[runs[i].arm]);
    if (!fs::exists(path) || read_file(path) != text) write_file_atomic(path, text);
  }
}

std::vector<Footprint> footprints(const Experiment& experiment, const Plan& plan) {
  std::vector<Footprint> all;
  const auto vocab_size = static_cast<std::size_t>(plan.data.vocab_size);
  for (const Arm& arm : experiment.arms) {
    const LanguageModel model = build_model(arm.spec, vocab_size, /*seed=*/1);
    all.push_back(footprint(model, arm.spec.train));
  }
  return all;
}

bool all_done(const Plan& plan) {
  const std::vector<PlannedRun> runs = plan.runs();
  return std::all_of(runs.begin(), runs.end(),
                     [](const PlannedRun& run) { return RunFolder(run.dir).done(); });
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

}  // namespace

int run_command(const std::vector<std::string>& args) {
  const Request request = parse(args);
  if (request.experiment.empty()) return 0;
  const Experiment experiment =
      load_experiment(request.experiment, request.overrides, project_root());
  const DataConfig& config = experiment.spec().data;
  const Dataset data = open_dataset(config);
  warn_of_data(data, config);
  const Plan plan = make_plan(experiment, data, request.command);
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
