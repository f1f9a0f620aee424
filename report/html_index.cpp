// The page of all experiments.
#include <fmt/format.h>

#include <algorithm>

#include "report/format.h"
#include "report/html.h"
#include "report/html_parts.h"
#include "report/html_text.h"

namespace bitlab {

namespace {

// Columns that are there only if some run is in that state.
constexpr SeedState kSeldom[] = {SeedState::Failed, SeedState::Interrupted, SeedState::Pruned,
                                 SeedState::Unreadable};

Cell count_cell(std::size_t count) {
  if (count == 0) return {};
  return {std::to_string(count), std::to_string(count)};
}

}  // namespace

std::string experiments_html(const std::vector<Overview>& experiments) {
  if (experiments.empty()) return "<p>Nothing has been run yet: bitlab run NAME.</p>\n";
  std::vector<SeedState> states = {SeedState::Running, SeedState::Queued, SeedState::Done};
  for (const SeedState state : kSeldom)
    if (std::any_of(experiments.begin(), experiments.end(),
                    [&](const Overview& experiment) { return experiment.count(state) > 0; }))
      states.push_back(state);
  std::vector<std::string> heads = {"experiment", "progress", "left"};
  for (const SeedState state : states) heads.push_back(to_string(state));
  heads.push_back("title");
  std::vector<std::vector<Cell>> rows;
  for (const Overview& experiment : experiments) {
    Progress progress;
    for (const RunRecord& record : experiment.runs) progress.add(record.run);
    const double left = seconds_left(experiment);
    std::vector<Cell> row = {
        {experiment.name, "", "/experiments/" + percent_encoded(experiment.name)},
        {fmt::format("{:.0f} %", progress.percent()), fmt::format("{:.2f}", progress.percent())},
        left < 0 ? Cell{} : Cell{format_duration(left), fmt::format("{:.0f}", left)}};
    for (const SeedState state : states) row.push_back(count_cell(experiment.count(state)));
    row.push_back({experiment.problem.empty() ? experiment.title : experiment.problem});
    rows.push_back(std::move(row));
  }
  return html_table("experiments", heads, rows, true);
}

}  // namespace bitlab
