#include "report/pivot.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "core/base/error.h"
#include "core/config/suggest.h"
#include "report/statistics.h"
#include "report/value_table.h"

namespace bitlab {

namespace {

const std::vector<std::string> kFigures = {"mean", "sd", "n", "min", "max"};

std::vector<std::string> parse_figures(const std::string& text) {
  std::vector<std::string> figures;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    if (std::find(kFigures.begin(), kFigures.end(), name) == kFigures.end()) {
      const std::string guess = nearest(name, kFigures);
      throw UsageError("--agg", "must be of mean, sd, n, min and max, but got '" + name + "'",
                       guess.empty() ? "" : "did you mean '" + guess + "'?");
    }
    figures.push_back(name);
  }
  if (figures.empty()) throw UsageError("--agg", "must name at least one figure");
  return figures;
}

struct Cell {
  std::vector<double> values;  // of the runs that are done
  std::size_t failed = 0, diverged = 0, pruned = 0, unfinished = 0;

  RunValue figure(const std::string& name) const {
    const Summary summary = summarize(values);
    if (name == "n") return static_cast<double>(values.size());
    if (values.empty()) return {};
    if (name == "mean") return summary.mean;
    if (name == "sd") return summary.sd ? RunValue(*summary.sd) : RunValue();
    return name == "min" ? *std::min_element(values.begin(), values.end())
                         : *std::max_element(values.begin(), values.end());
  }
};

void add_run(Cell& cell, const RunRecord& run, const std::string& metric) {
  const RunValue value = value_of(run, metric);
  switch (run.run.state) {
    case SeedState::Done:
      if (const double* x = std::get_if<double>(&value)) cell.values.push_back(*x);
      return;
    case SeedState::Failed:
    case SeedState::Unreadable:
      ++(run.run.reason.starts_with("diverged") ? cell.diverged : cell.failed);
      return;
    case SeedState::Pruned:
      ++cell.pruned;
      return;
    default:
      ++cell.unfinished;
  }
}

// "; 1 diverged, 2 pruned"; what stands alone has no semicolon.
std::string missing_text(const Cell& cell) {
  std::string text;
  const auto add = [&](std::size_t n, const char* what) {
    if (n > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n, what);
  };
  add(cell.failed, "failed");
  add(cell.diverged, "diverged");
  add(cell.pruned, "pruned");
  add(cell.unfinished, "unfinished");
  return text;
}

// "1.8146 ± 0.0170 (3)", "1.80 to 1.85"
std::string figures_text(const Cell& cell,
                         const std::vector<std::string>& figures,
                         const std::string& metric) {
  if (cell.values.empty()) return "";
  std::string text;
  for (const std::string& name : figures) {
    const RunValue value = cell.figure(name);
    if (!has_value(value)) continue;
    if (name == "n")
      text += fmt::format("{}({})", text.empty() ? "" : " ", to_text(value));
    else if (name == "sd" && !text.empty())
      text += " ± " + to_display(metric, value);
    else
      text += (text.empty() ? "" : ", ") + (name == "mean" ? "" : name + " ") +
              to_display(metric, value);
  }
  return text;
}

std::string cell_text(const Cell& cell,
                      const std::vector<std::string>& figures,
                      const std::string& metric) {
  const std::string measured = figures_text(cell, figures, metric), missing = missing_text(cell);
  if (measured.empty()) return missing.empty() ? "–" : missing;
  return missing.empty() ? measured : measured + "; " + missing;
}

// The different values of a key: numbers in their order, others in that of the runs.
std::vector<RunValue> values_of(const std::vector<RunRecord>& runs, const std::string& key) {
  std::vector<RunValue> values;
  for (const RunRecord& run : runs) {
    const RunValue value = value_of(run, key);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  const auto is_number = [](const RunValue& v) { return std::holds_alternative<double>(v); };
  if (std::all_of(values.begin(), values.end(), is_number))
    std::sort(values.begin(), values.end(), comes_before);
  return values;
}

using Cells = std::map<std::pair<RunValue, RunValue>, Cell>;

std::string side_text(const std::string& key, const RunValue& value) {
  return has_value(value) ? to_display(key, value) : "–";
}

struct Sides {
  std::string row_key, col_key;  // the latter may be empty
  std::vector<RunValue> rows, cols;
};

TextTable wide_table(const Sides& sides,
                     const Cells& cells,
                     const std::vector<std::string>& figures,
                     const std::string& metric,
                     const RunKeys& keys) {
  TextTable table;
  const std::string corner = keys.short_name(sides.row_key);
  table.heads.push_back(
      {sides.col_key.empty() ? corner : corner + " / " + keys.short_name(sides.col_key), true});
  for (const RunValue& col : sides.cols)
    table.heads.push_back({sides.col_key.empty() ? metric : side_text(sides.col_key, col), false});
  for (const RunValue& row : sides.rows) {
    auto& line = table.rows.emplace_back(1, side_text(sides.row_key, row));
    for (const RunValue& col : sides.cols) {
      const auto cell = cells.find({row, col});
      line.push_back(cell_text(cell == cells.end() ? Cell() : cell->second, figures, metric));
    }
  }
  return table;
}

ValueTable long_table(const Sides& sides,
                      const Cells& cells,
                      const std::vector<std::string>& figures) {
  ValueTable table;
  const bool two = !sides.col_key.empty();
  table.columns.push_back({sides.row_key, sides.row_key});
  if (two) table.columns.push_back({sides.col_key, sides.col_key});
  for (const std::string& name : figures) table.columns.push_back({name, name});
  for (const char* name : {"failed", "diverged", "pruned", "unfinished"})
    table.columns.push_back({name, name});
  for (const RunValue& row : sides.rows)
    for (const RunValue& col : sides.cols) {
      const auto found = cells.find({row, col});
      if (found == cells.end()) continue;
      const Cell& cell = found->second;
      auto& line = table.rows.emplace_back(1, row);
      if (two) line.push_back(col);
      for (const std::string& name : figures) line.push_back(cell.figure(name));
      for (const std::size_t n : {cell.failed, cell.diverged, cell.pruned, cell.unfinished})
        line.push_back(static_cast<double>(n));
    }
  return table;
}

}  // namespace

std::string pivot_table(const std::vector<RunRecord>& runs,
                        const PivotRequest& request,
                        TableFormat format) {
  const RunKeys keys(runs);
  const std::vector<std::string> figures = parse_figures(request.agg);
  const std::string metric = keys.resolve(request.metric, "--metric");
  Sides sides;
  sides.row_key = keys.resolve(request.rows, "--rows");
  if (!request.cols.empty()) sides.col_key = keys.resolve(request.cols, "--cols");
  sides.rows = values_of(runs, sides.row_key);
  sides.cols = request.cols.empty() ? std::vector<RunValue>(1) : values_of(runs, sides.col_key);
  Cells cells;
  for (const RunRecord& run : runs)
    add_run(cells[{value_of(run, sides.row_key),
                   request.cols.empty() ? RunValue() : value_of(run, sides.col_key)}],
            run, metric);
  if (format == TableFormat::Csv || format == TableFormat::Json)
    return format_values(long_table(sides, cells, figures), format);
  const TextTable table = wide_table(sides, cells, figures, metric, keys);
  return format == TableFormat::Tex ? tex_text(table) : markdown_text(table);
}

}  // namespace bitlab
