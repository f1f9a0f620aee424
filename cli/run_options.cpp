#include "cli/run_options.h"

#include <boost/program_options.hpp>
#include <cstdint>
#include <iostream>

#include "cli/options.h"
#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kHelp =
    R"help(usage: bitlab run NAME|FILE.toml [path=value ...]

Trains what is not done of an experiment, then shows the result. Run it again to go on.
What an arm begins with of another experiment is trained first.

  optim.lr=5e-4                  any setting, by its path
  optim.lr=1e-3,3e-4             several values: a sweep of arms x values x seeds
  optim.lr="log(1e-4,1e-2)x8"    8 values, evenly spaced by ratio; lin(a,b)xN: by difference
  model.n_layer=2..6 seed=1..5   integers from ... to; seeds are repetitions
  optim.lr="log(1e-4,1e-2)" sweep.sampler=random sweep.samples=20
                                 drawn at random, or with sobol; docs/sweeps.md says more
)help";

std::size_t at_least_one(const std::string& option, std::int64_t value) {
  if (value < 1)
    throw UsageError("bitlab run",
                     "--" + option + " must be at least 1, but got " + std::to_string(value));
  return static_cast<std::size_t>(value);
}

}  // namespace

RunRequest parse_run_request(const std::vector<std::string>& args) {
  RunRequest request;
  std::vector<std::string> words;
  std::int64_t jobs = 0, threads = 0, max_runs = 0;
  po::options_description shown("Options"), hidden, all;
  shown.add_options()("help,h", "show this")(
      "dry-run,n", po::bool_switch(&request.dry_run),
      "show what would be done with each run, why, and how long it will take; run nothing")(
      "jobs,j", po::value(&jobs)->value_name("N"),
      "runs at once; default: as many as there are cores for")(
      "threads,t", po::value(&threads)->value_name("N"),
      "threads of each run; steps use at most train.shards; default: cores that no run would use "
      "otherwise. No result depends on it")(
      "arm", po::value(&request.arms)->value_name("NAME"),
      "this arm only, and those that it begins with or learns from; may be given several times")(
      "max-runs", po::value(&max_runs)->value_name("N"),
      "only the first N runs of the plan (sweep.max_runs)")(
      "plugin", po::value(&request.plugins)->value_name("FILE"),
      "a library with plugins, beside those that the experiment names")(
      "rerun", po::bool_switch(&request.rerun),
      "do finished runs again; their results stay in seed-K.old");
  add_schedule_options(shown, request.schedule);
  hidden.add_options()("word", po::value(&words));
  all.add(shown).add(hidden);
  const po::variables_map parsed = parse_options("run", args, all, "word");
  if (parsed.count("help") > 0) {
    std::cout << kHelp << "\n" << shown;
    return {};
  }
  if (words.empty())
    throw UsageError("bitlab run", "an experiment must be named", "bitlab list shows them");
  if (parsed.count("threads") > 0) request.share.threads = at_least_one("threads", threads);
  if (parsed.count("jobs") > 0) request.share.slots = at_least_one("jobs", jobs);
  request.experiment = words.front();
  request.overrides.assign(words.begin() + 1, words.end());
  if (parsed.count("max-runs") > 0)
    request.overrides.push_back("sweep.max_runs=" +
                                std::to_string(at_least_one("max-runs", max_runs)));
  for (const std::string& override : checked_overrides(request.schedule))
    request.overrides.push_back(override);
  request.command = "bitlab run";
  for (const std::string& arg : args) request.command += " " + arg;
  return request;
}

}  // namespace bitlab
