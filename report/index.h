#pragma once
// All runs of an experiment, from small files only (plan.json, status.json, progress.json,
// config.toml, provenance.json, DONE), so that a thousand of them take a moment. There is no cache:
// nothing can be stale, and nothing can be locked.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

struct RunSetting {
  std::string toml;    // 0.001, "absmean", [1, 2]
  std::string origin;  // "default", or where it was set
};

struct RunRecord {
  std::string id;          // HASH8-SEED: "a636e21d-1"
  std::string experiment;  // name
  std::string arm, base;   // as in ArmResult
  std::vector<SweptValue> axes;
  bool planned = true;  // false: no part of the last plan
  std::int64_t params = 0, ternary_params = 0;
  std::optional<double> val_bits_per_byte;     // of the final loss
  SeedResult run;                              // without metrics; its folder need not be there yet
  std::map<std::string, RunSetting> settings;  // by path; of a run not started the swept ones alone
  std::string build;                           // git commit of the program, empty if not known
};

// In the order of the plan, then what else lies in the folder: runs of earlier plans.
std::vector<RunRecord> index_runs(const Results& results);

// The same, from the folder. Throws as load_results() does.
std::vector<RunRecord> read_index(const std::filesystem::path& results_folder);

// Those of the last plan.
std::vector<RunRecord> planned_runs(std::vector<RunRecord> runs);

// A run by its folder alone, as those of earlier plans are read.
RunRecord lone_run(const std::filesystem::path& dir);

// The folders right below `root` that hold a plan.json, by name.
std::vector<std::filesystem::path> experiment_folders(const std::filesystem::path& root);

// Where a run is; found by its folder's name alone.
struct RunPlace {
  std::string id, experiment;
  std::filesystem::path dir;
};

// All run folders of one experiment, in the order of their paths.
std::vector<RunPlace> run_places(const std::filesystem::path& results_folder);

}  // namespace bitlab
