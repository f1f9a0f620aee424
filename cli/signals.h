#pragma once
// SIGINT and SIGTERM as requests to stop in good order.
#include "experiments/scheduler.h"

namespace bitlab {

// Catches both signals from now on and counts them. Each call gives the same object.
const StopRequest& catch_stop_signals();

}  // namespace bitlab
