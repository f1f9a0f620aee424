#pragma once
// All that was measured, as CSV for other programs.
#include <filesystem>
#include <vector>

#include "report/index.h"

namespace bitlab {

struct ExportedRows {
  std::size_t runs = 0, train = 0, eval = 0, quant = 0, scores = 0, predictions = 0;
};

// Writes into `folder`, each file as a whole:
//   runs.csv   one row a run: run (id), arm, seed, settings that differ, state, losses, times,
//   build train.csv, eval.csv, quant.csv; scores.csv and predictions.csv of texts that are
//   classified
//              the rows of metrics.h5, with run, arm, seed and the swept settings before them
// Numbers read back to the same bits; NaN is "nan". Throws Error if a file cannot be written or the
// metrics of a run cannot be read.
ExportedRows export_csv(const std::vector<RunRecord>& runs, const std::filesystem::path& folder);

}  // namespace bitlab
