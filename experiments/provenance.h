#pragma once
// Where a result comes from: build, machine, data, command.
#include <string>

#include "experiments/dataset.h"
#include "experiments/worker.h"

namespace bitlab {

// provenance.json of a run, as text. Takes what the machine says now.
std::string provenance_json(const WorkerOptions& options,
                            const Dataset& data,
                            const std::string& started);

// "Intel(R) Xeon(R) ..." as the system names the CPU; "unknown" if it does not.
std::string cpu_model();

}  // namespace bitlab
