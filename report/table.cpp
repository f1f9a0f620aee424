#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/error.h"
#include "report/format.h"
#include "report/table_writers.h"

namespace bitlab {

namespace {

// Over the seeds that are done; a run without a value does not count.
template <class Measure>
Summary over_done(const ArmResult& arm, Measure measure) {
  std::vector<double> values;
  for (const SeedResult& run : arm.runs) {
    if (!run.done()) continue;
    if (const std::optional<double> value = measure(run)) values.push_back(*value);
  }
  return summarize(values);
}

// Zero stands for "not measured" in a run's status.
std::optional<double> measured(double value) {
  return value > 0 ? std::optional<double>(value) : std::nullopt;
}

// What to say after "seed 3 ".
std::string describe_run(const SeedResult& run) {
  if (run.state == SeedState::Queued) return "not started";
  std::string text = to_string(run.state);
  if (run.state == SeedState::Running || run.state == SeedState::Interrupted ||
      run.state == SeedState::Pruned)
    text += fmt::format(" at step {} of {}", run.step, run.steps);
  if (!run.reason.empty()) text += ": " + run.reason;
  return text;
}

}  // namespace

std::string describe_states(const ArmResult& arm) {
  std::string text = fmt::format("{} of {} done", arm.done(), arm.runs.size());
  for (std::size_t i = 0; i < arm.runs.size();) {
    const std::size_t first = i;
    const std::string what = describe_run(arm.runs[first]);
    std::string seeds;
    for (; i < arm.runs.size() && describe_run(arm.runs[i]) == what; ++i)
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(arm.runs[i].seed);
    if (!arm.runs[first].done())
      text += fmt::format("; seed{} {} {}", i - first > 1 ? "s" : "", seeds, what);
  }
  return text;
}

std::vector<TableRow> table_rows(const Results& results) {
  std::vector<TableRow> rows;
  for (const ArmResult& arm : results.arms) {
    TableRow row;
    row.arm = arm.name;
    for (const SeedResult& run : arm.runs)
      if (run.done()) row.seeds.push_back(run.seed);
    row.seeds_planned = arm.runs.size();
    row.params = arm.params;
    row.ternary_params = arm.ternary_params;
    row.val_final = over_done(arm, final_val_loss);
    row.val_best = over_done(arm, best_val_loss);
    row.train_final = over_done(arm, final_train_loss);
    if (results.data.in_subwords())
      row.val_bits_per_byte = over_done(arm, [&](const SeedResult& r) {
        return results.data.val_bits_per_byte(final_val_loss(r));
      });
    row.tokens_per_s = over_done(arm, [](const SeedResult& r) { return measured(r.tokens_per_s); });
    row.wall_seconds = over_done(arm, [](const SeedResult& r) { return measured(r.wall_seconds); });
    row.accuracy = over_done(arm, [](const SeedResult& r) { return r.accuracy; });
    row.f1 = over_done(arm, [](const SeedResult& r) { return r.f1; });
    row.bytes_full = over_done(
        arm, [](const SeedResult& r) { return measured(static_cast<double>(r.bytes_full)); });
    row.bytes_packed = over_done(
        arm, [](const SeedResult& r) { return measured(static_cast<double>(r.bytes_packed)); });
    row.states = describe_states(arm);
    rows.push_back(std::move(row));
  }
  return rows;
}

bool have_bits_per_byte(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const TableRow& row) { return row.val_bits_per_byte.n > 0; });
}

bool have_scores(const std::vector<TableRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const TableRow& row) { return row.accuracy.n > 0; });
}

TableFormat parse_table_format(const std::string& name) {
  if (name == "md") return TableFormat::Markdown;
  if (name == "csv") return TableFormat::Csv;
  if (name == "tex" || name == "latex") return TableFormat::Tex;
  if (name == "json") return TableFormat::Json;
  throw UsageError("table format", "must be md, csv, tex or json, but got '" + name + "'");
}

std::string format_table(const Results& results, TableFormat format) {
  const std::vector<TableRow> rows = table_rows(results);
  switch (format) {
    case TableFormat::Markdown:
      return markdown_table(results, rows);
    case TableFormat::Csv:
      return csv_table(rows);
    case TableFormat::Tex:
      return tex_table(results, rows);
    case TableFormat::Json:
      return json_table(rows);
  }
  throw Error("table format", "must be a known one");
}

}  // namespace bitlab
