#pragma once
// The report of an experiment: results/NAME/report/ with curves.svg, curves.png, table.md,
// table.csv, table.tex, table.json, verdict.md and report.html (report/html.h); of a scaling study
// scaling.md as well.
#include <filesystem>
#include <string>

namespace bitlab {

struct Report {
  std::string text;          // for the terminal: table, verdict, paths; ends with a newline
  std::string figure_error;  // why the curves could not be drawn (gnuplot missing), else empty
};

// Reads `results_folder` (results/NAME) as it stands, finished or not, and writes its report/;
// every file is replaced as a whole. Without gnuplot all but the curves is written. The same
// results give the same bytes. Throws UsageError if the folder holds no plan.json, Error if a file
// cannot be read or written.
Report write_report(const std::filesystem::path& results_folder);

}  // namespace bitlab
