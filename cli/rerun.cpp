// bitlab rerun RUN: repeats a run from its folder alone, and says whether it gives the same bits.
#include "experiments/rerun.h"

#include <unistd.h>

#include <boost/program_options.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/signals.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/temporary_folder.h"
#include "core/simd/kernels.h"
#include "experiments/dataset.h"
#include "experiments/plan.h"
#include "experiments/provenance.h"
#include "experiments/scheduler.h"
#include "experiments/status_screen.h"

namespace bitlab {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {

// Where the repetition lands. A temporary folder goes away after it, unless keep() was called.
class Landing {
 public:
  explicit Landing(const std::string& into) : path_(into) {
    if (into.empty())
      path_ = temporary_.emplace("bitlab-rerun").path();
    else if (fs::exists(path_) && !fs::is_empty(path_))
      throw UsageError("bitlab rerun", "--into must be a new or empty folder, but " + into +
                                           " holds something already");
  }
  void keep() {
    if (temporary_) temporary_->keep();
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  std::optional<TemporaryFolder> temporary_;
};

// Other data cannot give the same losses: refused before anything is trained.
void check_data(const Spec& spec, const RunOrigin& origin) {
  const Dataset data = open_dataset(spec.data);
  if (data.facts.sha256 == origin.data_sha256) return;
  throw UsageError("bitlab rerun", "the data must be '" + origin.data_source + "' with sha256 " +
                                       origin.data_sha256 + ", but what can be had is '" +
                                       data.facts.source + "' with " + data.facts.sha256);
}

// What is not as it was. Bits are promised for one binary on one kind of machine.
void warn_of_differences(const RunOrigin& origin) {
  if (origin.binary_sha256 != binary_sha256())
    std::cerr << "note: another build: it was " << origin.git << ", this is " << build_description()
              << "\n";
  if (origin.kernels != simd::kernels().name)
    std::cerr << "WARNING: it ran on the kernels '" << origin.kernels << "', these are '"
              << simd::kernels().name
              << "': they round differently. BITLAB_KERNELS=" << origin.kernels
              << " picks the same, where the CPU has them\n";
}

void print(const RunComparison& c) {
  const auto verdict = [](bool same) { return same ? "identical" : "DIFFERENT"; };
  const auto loss = [](const std::optional<double>& x) { return x.value_or(std::nan("")); };
  std::printf("final val loss  %-20.17g %-20.17g %s\n", loss(c.loss_a), loss(c.loss_b),
              verdict(c.same_loss()));
  std::printf("metrics         %-41s %s\n",
              c.differ_from ? ("from step " + std::to_string(*c.differ_from)).c_str() : "every row",
              verdict(!c.differ_from));
  std::printf("final weights   %-41s %s\n", c.weights_compared ? "every byte" : "",
              c.weights_compared ? verdict(c.same_weights) : "not kept, not compared");
}

int rerun(const fs::path& run, const std::string& into) {
  const RunFolder before(run);
  if (!before.done())
    throw UsageError("bitlab rerun", run.string() + " must be a finished run, but is " +
                                         to_string(before.status().state));
  const RunOrigin origin = read_origin(before);
  const Spec spec = load_run_spec(before.file("config.toml"));
  check_data(spec, origin);
  warn_of_differences(origin);

  Landing landing(into);
  fs::create_directories(landing.path());
  fs::copy_file(before.file("config.toml"), landing.path() / "config.toml");
  LocalLauncher launcher({kThisProgram, {1, origin.threads}});
  StatusScreen screen(std::cerr, ::isatty(STDERR_FILENO) ? STDERR_FILENO : -1);
  const RunJob job{origin.experiment, origin.arm, origin.seed, spec.train.steps, landing.path()};
  const int code = Scheduler({job}, launcher, screen, {}).run(catch_stop_signals()).exit_code();
  if (code != 0) return code;
  const RunComparison comparison = compare_runs(run, landing.path());
  print(comparison);
  if (comparison.identical()) return 0;
  landing.keep();
  std::cerr << "the repetition is kept in " << landing.path().string() << "\n";
  return 1;
}

}  // namespace

int rerun_command(const std::vector<std::string>& args) {
  std::vector<std::string> runs;
  std::string into;
  po::options_description shown("Options"), all;
  shown.add_options()("help,h", "show this")(
      "into", po::value(&into), "a new folder to repeat it in; default: a temporary one");
  all.add(shown).add_options()("run", po::value(&runs));
  if (parse_options("rerun", args, all, "run").count("help") > 0) {
    std::cout
        << "usage: bitlab rerun RUN [--into FOLDER]\n\n"
        << kRunHelp
        << "\nRepeats a finished run from its folder alone (config.toml and provenance.json), "
           "with the threads\nthat it had, and compares every number of its metrics and its "
           "final weights. Exit code 0: the\nsame to the bit, 1: not. Published runs have no "
           "weights: their losses are compared.\n\n"
        << shown;
    return 0;
  }
  if (runs.size() != 1)
    throw UsageError("bitlab rerun", "must be given one run", "bitlab rerun --help");
  return rerun(find_run(runs.front()), into);
}

}  // namespace bitlab
