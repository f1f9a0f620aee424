#pragma once
// Where a result comes from: build, machine, data, command. provenance.json and, if the binary was
// built from code that was not committed, git.diff (docs/run-folder.md).
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/dataset.h"
#include "experiments/run_folder.h"
#include "experiments/worker.h"

namespace bitlab {

// Writes provenance.json of an attempt that begins, with what build and machine say now; what is
// there of earlier attempts is kept as one entry each of its list "attempts".
void begin_provenance(const RunFolder& folder,
                      const WorkerOptions& options,
                      const Dataset& data,
                      const RunStatus& status,
                      std::int64_t first_step);

// Adds to the last attempt when it ended and how. Without provenance.json it does nothing.
void end_provenance(const RunFolder& folder, const RunStatus& status);

struct ImportedFrom {
  struct File {
    std::string path;
    std::int64_t bytes = 0;
    std::string sha256;
  };
  std::string source;  // as the user named it, absolute
  std::string format;
  std::vector<File> files;
};

// Writes provenance.json of a run that was not trained here.
void write_import_provenance(const RunFolder& folder, const ImportedFrom& from);

// Enough of provenance.json to do a run again.
struct RunOrigin {
  std::string experiment, arm;
  std::uint64_t seed = 1;
  std::size_t threads = 1;   // of the last attempt
  bool same_threads = true;  // in all attempts
  std::string data_source, data_sha256, git, binary_sha256, kernels;
};

// Throws Error if there is none or it is damaged, UsageError if the run was imported.
RunOrigin read_origin(const RunFolder& folder);

// Of this program.
std::string binary_sha256();
std::string version_line();       // "bitlab 0.1.0 (ba4707d0c0de, gcc 12.2.0, release)"
std::string build_description();  // the commit: "ba4707d0c0de", "ba4707d0c0de-dirty"

// "Intel(R) Xeon(R) ..." as the system names the CPU; "unknown" if it does not.
std::string cpu_model();

std::string host_name();

}  // namespace bitlab
