#include "cli/signals.h"

#include <signal.h>

namespace bitlab {

namespace {

StopRequest g_stop;  // a signal handler can reach nothing but globals

void on_signal(int number) {
  g_stop.signal = number;
  ++g_stop.count;
}

}  // namespace

const StopRequest& catch_stop_signals() {
  static_assert(std::atomic<int>::is_always_lock_free);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  return g_stop;
}

}  // namespace bitlab
