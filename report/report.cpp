#include "report/report.h"

#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "report/curves_script.h"
#include "report/figure.h"
#include "report/html.h"
#include "report/results.h"
#include "report/table.h"
#include "report/verdict.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Draws both pictures, or neither, and adds the one that the page shows. Returns a line for the
// terminal.
std::string write_curves(const Results& results,
                         const fs::path& dir,
                         std::vector<PageFigure>& shown) {
  const std::string script = curves_script(results);
  if (script.empty()) {
    for (const char* name : {"curves.svg", "curves.png"})
      fs::remove(dir / name);  // of an earlier plan
    return "curves: none yet, as no run has been evaluated\n";
  }
  const std::string svg = draw(script, ImageFormat::Svg), png = draw(script, ImageFormat::Png);
  write_file_atomic(dir / "curves.svg", svg);
  write_file_atomic(dir / "curves.png", png);
  shown.push_back({"Loss curves", svg});
  return "curves: " + (dir / "curves.svg").string() + "\n        " + (dir / "curves.png").string() +
         "\n";
}

}  // namespace

Report write_report(const fs::path& results_folder) {
  const Results results = load_results(fs::absolute(results_folder).lexically_normal());
  const fs::path dir = results.folder / "report";
  const std::string table = format_table(results, TableFormat::Markdown),
                    judgement = verdict(results);
  write_file_atomic(dir / "table.md", "# " + results.title + "\n\n" + table);
  write_file_atomic(dir / "table.csv", format_table(results, TableFormat::Csv));
  write_file_atomic(dir / "table.tex", format_table(results, TableFormat::Tex));
  write_file_atomic(dir / "table.json", format_table(results, TableFormat::Json));
  write_file_atomic(dir / "verdict.md", "# " + results.title + "\n\n" + judgement);
  Report report;
  report.text = table + "\n" + judgement + "\n";
  std::vector<PageFigure> figures;
  try {
    report.text += write_curves(results, dir, figures);
  } catch (const Error& e) {
    report.figure_error = e.what();
    report.text += "curves: not drawn: " + report.figure_error + "\n";
  }
  report.text += "table:  " + (dir / "table.md").string() + " (.csv .tex .json)\n";
  write_file_atomic(dir / "report.html", html_page(results, figures));
  report.text += "page:   " + (dir / "report.html").string() + "\n";
  return report;
}

}  // namespace bitlab
