#pragma once
// report.html: all that is known of an experiment in one page that needs nothing else.
#include <string>
#include <utility>
#include <vector>

#include "report/overview.h"
#include "report/results.h"

namespace bitlab {

// A picture of the report.
struct PageFigure {
  std::string title, svg;
};

// The parts of the page that change while runs go on, as HTML by name: "progress", "verdict",
// "claims", "table", "runs", "settings", "provenance", "reproduce".
std::vector<std::pair<std::string, std::string>> page_parts(const Results& results);

// The whole page: question, claim, verdict, tables, interactive curves, figures, settings,
// provenance, how to repeat it. Asks no server for anything. The same results and figures give the
// same bytes. Reads config.toml and provenance.json of the runs; what cannot be read is said on
// the page. With `live`, a URL path, the page asks it again and again for what has changed (an
// object {"parts": {name: HTML}, "data": page_data()}), and is for `bitlab serve` only.
std::string html_page(const Results& results,
                      const std::vector<PageFigure>& figures,
                      const std::string& live = "");

// How experiments stand, a row each.
std::string experiments_html(const std::vector<Overview>& experiments);

// The page of all experiments; `live` as above, with the one part "experiments".
std::string html_index(const std::vector<Overview>& experiments, const std::string& live);

// Whether the build has uPlot, which draws the interactive curves.
bool has_interactive_curves();

}  // namespace bitlab
