// bitlab serve: results as web pages on this machine, while runs go on.
#include "report/serve.h"

#include <sys/resource.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/signals.h"
#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

int serve_command(const std::vector<std::string>& args) {
  int port = 0;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")(
      "port,p", po::value(&port)->default_value(1580)->value_name("N"),
      "on which to listen; 0: any that is free");
  if (parse_options("serve", args, options).count("help") > 0) {
    std::cout << "usage: bitlab serve [--port N]\n\n"
                 "All experiments under results/ as web pages on this machine, renewed while runs "
                 "go on.\nOnly for this machine (127.0.0.1), read-only. Ctrl-C ends it; runs are "
                 "not touched.\n\n"
              << options;
    return 0;
  }
  if (port < 0 || port > 65535)
    throw UsageError("bitlab serve",
                     "--port must be between 0 and 65535, but got " + std::to_string(port));
  const StopRequest& stop = catch_stop_signals();
  ::setpriority(PRIO_PROCESS, 0, 10);  // runs come first
  const ResultsServer server(results_root(), port);
  std::cout << "http://127.0.0.1:" << server.port() << "/" << std::endl;
  std::cerr << "Ctrl-C ends it; runs are not touched.\n";
  while (stop.count == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return 128 + stop.signal;
}

}  // namespace bitlab
