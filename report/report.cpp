#include "report/report.h"

#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "report/classification.h"
#include "report/figures.h"
#include "report/html.h"
#include "report/results.h"
#include "report/scaling_verdict.h"
#include "report/table.h"
#include "report/verdict.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Draws all pictures, or none, takes those of an earlier plan away, and adds the ones that the page
// shows. Returns lines for the terminal.
std::string write_figures(const Results& results,
                          const fs::path& dir,
                          std::vector<PageFigure>& shown) {
  std::vector<std::pair<std::string, std::string>> images;  // file, bytes
  for (const NamedFigure& figure : standard_figures(results)) {
    images.emplace_back(figure.kind + ".svg", draw(figure.figure, ImageFormat::Svg));
    shown.push_back({figure.caption, images.back().second});
    images.emplace_back(figure.kind + ".png", draw(figure.figure, ImageFormat::Png));
  }
  for (const std::string& kind : figure_kinds())
    for (const char* extension : {".svg", ".png"}) fs::remove(dir / (kind + extension));
  std::string lines;
  for (const auto& [file, bytes] : images) {
    write_file_atomic(dir / file, bytes);
    lines += (lines.empty() ? "figures: " : "         ") + (dir / file).string() + "\n";
  }
  return lines.empty() ? "figures: none yet, as no run has been evaluated\n" : lines;
}

// scaling.md where there is a study of scaling, and else none; returns a line for the terminal.
std::string write_scaling(const Results& results, const fs::path& dir) {
  const fs::path file = dir / "scaling.md";
  const auto study = scaling_study(results);
  if (!study) {
    fs::remove(file);
    return "";
  }
  write_file_atomic(file, "# " + results.title + "\n\n" + kScalingNote + "\n\n" +
                              markdown_text(scaling_table(*study)));
  return "scaling: " + file.string() + "\n";
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
  const std::string scores = classification_page(results);
  if (!scores.empty()) {
    write_file_atomic(dir / "classification.md", "# " + results.title + "\n\n" + scores);
    write_file_atomic(dir / "classification.json", classification_json(results));
  }
  Report report;
  report.text = table + "\n" + (scores.empty() ? "" : scores + "\n") + judgement + "\n";
  std::vector<PageFigure> figures;
  try {
    report.text += write_figures(results, dir, figures);
  } catch (const Error& e) {
    report.figure_error = e.what();
    report.text += "figures: not drawn: " + report.figure_error + "\n";
  }
  report.text += write_scaling(results, dir);
  report.text += "table:   " + (dir / "table.md").string() + " (.csv .tex .json)\n";
  write_file_atomic(dir / "report.html", html_page(results, figures));
  report.text += "page:    " + (dir / "report.html").string() + "\n";
  return report;
}

}  // namespace bitlab
