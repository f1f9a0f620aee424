// bitlab worker: trains one run. Started by `bitlab run`, one process a run; not meant for people.
#include "experiments/worker.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <boost/program_options.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/signals.h"

namespace bitlab {

namespace po = boost::program_options;

int worker_command(const std::vector<std::string>& args) {
  WorkerOptions worker;
  std::string run_dir;
  po::options_description options;
  options.add_options()("run", po::value(&run_dir)->required(), "")(
      "experiment", po::value(&worker.experiment)->required(), "")(
      "arm", po::value(&worker.arm)->required(), "")("seed", po::value(&worker.seed)->required(),
                                                     "")(
      "threads", po::value(&worker.threads)->default_value(1), "");
  parse_options("worker", args, options);
  worker.run_dir = run_dir;
#ifdef __linux__
  ::prctl(PR_SET_NAME, "bitlab");  // started through /proc/self/exe it would be listed as "exe"
#endif
  return run_worker(worker, catch_stop_signals().signal);
}

}  // namespace bitlab
