#pragma once
// A table with any two settings or facts as its sides and a metric in its cells.
#include <string>
#include <vector>

#include "report/index.h"
#include "report/table.h"

namespace bitlab {

struct PivotRequest {
  std::string rows = "arm",
              cols;  // keys of report/run_values.h; without `cols` there is one column
  std::string metric = "val_loss";
  std::string agg = "mean,sd,n";  // of: mean, sd (n - 1), n, min, max
};

// Figures are over the runs of a cell that are done and have the metric; how many runs failed,
// diverged, were pruned or are not finished stands beside them. Rows and columns are in the order
// of their values if these are numbers, else in that of the runs.
//   Markdown and LaTeX: a cell reads "1.8146 ± 0.0170 (3); 1 diverged".
//   CSV and JSON: one line a cell: the two keys, the figures asked for, failed, diverged, pruned,
//   unfinished.
// Ends with a newline. Throws UsageError for keys and figures that do not exist.
std::string pivot_table(const std::vector<RunRecord>& runs,
                        const PivotRequest& request,
                        TableFormat format);

}  // namespace bitlab
