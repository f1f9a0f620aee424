#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/classification.h"
#include "report/format.h"
#include "report/html_parts.h"
#include "report/html_text.h"
#include "report/scaling_verdict.h"
#include "report/table.h"

namespace bitlab {

namespace {

constexpr std::size_t kWideText = 24;  // bytes; a column of longer texts breaks its lines

Cell number_cell(std::optional<double> value, const std::string& text) {
  return value ? Cell{text, fmt::format("{:.9g}", *value)} : Cell{"", ""};
}

Cell loss_cell(std::optional<double> loss) {
  return number_cell(loss, loss ? format_fixed(*loss, 4) : "");
}

Cell summary_cell(const Summary& summary) {
  if (summary.n == 0) return {};
  std::string text = format_fixed(summary.mean, 4);
  if (summary.sd) text += " ± " + format_fixed(*summary.sd, 4);
  return number_cell(summary.mean, text);
}

template <class Format>
Cell mean_cell(const Summary& summary, Format format) {
  if (summary.n == 0) return {};
  return number_cell(summary.mean, format(summary.mean));
}

std::string noted_table(const std::string& id,
                        const std::string& title,
                        const std::string& note,
                        const TextTable& table) {
  std::vector<std::string> heads;
  for (const TextTable::Head& head : table.heads) heads.push_back(head.text);
  std::vector<std::vector<Cell>> rows;
  for (const std::vector<std::string>& row : table.rows) {
    rows.emplace_back();
    for (const std::string& text : row) rows.back().push_back({text});
  }
  return "<h3>" + escape_html(title) + "</h3>\n<p class=\"note\">" + escape_html(note) + "</p>\n" +
         html_table(id, heads, rows, false);
}

std::string count_text(double x) { return format_count(std::llround(x)); }
std::string bytes_text(double x) { return format_bytes(std::llround(x)); }

// The settings that a sweep varies, in the order in which arms name them.
std::vector<std::string> swept_paths(const Results& results) {
  std::vector<std::string> paths;
  for (const ArmResult& arm : results.arms)
    for (const SweptValue& axis : arm.axes)
      if (std::find(paths.begin(), paths.end(), axis.path) == paths.end())
        paths.push_back(axis.path);
  return paths;
}

void add_axes(const ArmResult& arm, const std::vector<std::string>& paths, std::vector<Cell>& row) {
  for (const std::string& path : paths) {
    Cell cell;
    for (const SweptValue& axis : arm.axes)
      if (axis.path == path)
        cell = {axis.text, axis.number ? fmt::format("{:.9g}", *axis.number) : ""};
    row.push_back(cell);
  }
}

std::string last_key(const std::string& path) { return path.substr(path.rfind('.') + 1); }

Cell state_cell(const SeedResult& run) {
  std::string text = to_string(run.state);
  if (!run.reason.empty()) text += ": " + run.reason;
  return {text};
}

}  // namespace

std::string html_table(const std::string& id,
                       const std::vector<std::string>& heads,
                       const std::vector<std::vector<Cell>>& rows,
                       bool sortable) {
  std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + id +
                    "\"><table id=\"" + id + "\"><thead><tr>";
  std::vector<bool> numeric(heads.size(), false), wide(heads.size(), false);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      numeric[i] = numeric[i] || !row[i].number.empty();
      wide[i] = wide[i] || row[i].text.size() > kWideText;
    }
  for (std::size_t i = 0; i < heads.size(); ++i)
    out += std::string("<th scope=\"col\"") + (numeric[i] ? " class=\"n\"" : "") +
           (sortable ? "><button type=\"button\">" + escape_html(heads[i]) + "</button></th>"
                     : ">" + escape_html(heads[i]) + "</th>");
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string tag = i == 0 ? "th" : "td";
      out += "<" + tag +
             (i == 0       ? " scope=\"row\""
              : numeric[i] ? " class=\"n\""
              : wide[i]    ? " class=\"w\""
                           : "");
      if (!row[i].number.empty()) out += " data-v=\"" + row[i].number + "\"";
      const std::string text = escape_html(row[i].text);
      out +=
          ">" +
          (row[i].link.empty() ? text
                               : "<a href=\"" + escape_html(row[i].link) + "\">" + text + "</a>") +
          "</" + tag + ">";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

void Progress::add(const SeedResult& run) {
  ++runs;
  ++states[run.state];
  const bool over = run.done() || run.state == SeedState::Pruned;
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, run.steps));
  done += over ? 1 : static_cast<double>(run.step) / steps;
}

double Progress::percent() const {
  return 100 * done / static_cast<double>(std::max<std::size_t>(1, runs));
}

bool Progress::complete() const {
  return std::all_of(states.begin(), states.end(), [](const auto& entry) {
    return entry.first == SeedState::Done || entry.first == SeedState::Pruned;
  });
}

std::string Progress::counts_html() const {
  std::string out;
  for (const auto& [state, count] : states)
    out += fmt::format("{}<span class=\"state {}\">{} {}</span>", out.empty() ? "" : ", ",
                       to_string(state), count, to_string(state));
  return out;
}

std::string progress_html(const Results& results) {
  Progress progress;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) progress.add(run);
  std::string bar;
  if (!progress.complete())
    bar = fmt::format("<progress max=\"100\" value=\"{0:.2f}\">{0:.0f} %</progress> {0:.0f} %, ",
                      progress.percent());
  return fmt::format("<p class=\"progress\">{}{} runs: {}</p>\n", bar, progress.runs,
                     progress.counts_html());
}

std::string arm_table_html(const Results& results) {
  const std::vector<TableRow> table = table_rows(results);
  const bool complete = std::all_of(table.begin(), table.end(), [](const TableRow& arm) {
    return arm.seeds.size() == arm.seeds_planned;
  });
  const std::vector<std::string> axes = swept_paths(results);
  std::vector<std::string> heads = {"arm"};
  for (const std::string& path : axes) heads.push_back(last_key(path));
  heads.push_back("seeds");
  if (!complete) heads.push_back("state");
  const bool with_bits = have_bits_per_byte(table), with_scores = have_scores(table);
  if (with_scores) heads.insert(heads.end(), {"accuracy", "F1"});
  for (const char* head : {"final val loss", "bits/byte", "best val loss", "train loss",
                           "parameters", "ternary", "tokens/s", "time", "full", "packed"})
    if (with_bits || head != std::string_view("bits/byte")) heads.push_back(head);
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const TableRow& arm = table[i];
    std::vector<Cell> row = {{arm.arm}};
    add_axes(results.arms[i], axes, row);
    const double ternary =
        arm.params > 0 ? 100.0 * static_cast<double>(arm.ternary_params) / arm.params : 0;
    row.push_back(number_cell(arm.seeds.size(),
                              fmt::format("{} of {}", arm.seeds.size(), arm.seeds_planned)));
    if (!complete) row.push_back({arm.states});
    if (with_scores) {
      row.push_back(summary_cell(arm.accuracy));
      row.push_back(summary_cell(arm.f1));
    }
    row.push_back(summary_cell(arm.val_final));
    if (with_bits) row.push_back(summary_cell(arm.val_bits_per_byte));
    row.push_back(summary_cell(arm.val_best));
    row.push_back(summary_cell(arm.train_final));
    row.push_back(number_cell(arm.params, format_count(arm.params)));
    row.push_back(number_cell(ternary, format_fixed(ternary, 1) + " %"));
    row.push_back(mean_cell(arm.tokens_per_s, count_text));
    row.push_back(mean_cell(arm.wall_seconds, format_duration));
    row.push_back(mean_cell(arm.bytes_full, bytes_text));
    row.push_back(mean_cell(arm.bytes_packed, bytes_text));
    rows.push_back(std::move(row));
  }
  return html_table("arms", heads, rows, true);
}

std::string scaling_html(const Results& results) {
  const auto study = scaling_study(results);
  if (!study) return "";
  return noted_table("scaling", "Laws continued", kScalingNote, scaling_table(*study));
}

std::string classification_html(const Results& results) {
  std::string html;
  for (const ClassificationTable& part : classification_tables(results))
    html += noted_table(part.id, part.title, part.note, part.table);
  return html;
}

std::string run_table_html(const Results& results) {
  const std::vector<std::string> axes = swept_paths(results);
  std::vector<std::string> heads = {"arm"};
  for (const std::string& path : axes) heads.push_back(last_key(path));
  for (const char* head : {"seed", "final val loss", "best val loss", "train loss", "step",
                           "tokens/s", "time", "state"})
    heads.push_back(head);
  std::vector<std::vector<Cell>> rows;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      std::vector<Cell> row = {{arm.name}};
      add_axes(arm, axes, row);
      row.push_back(number_cell(run.seed, std::to_string(run.seed)));
      row.push_back(loss_cell(final_val_loss(run)));
      row.push_back(loss_cell(best_val_loss(run)));
      row.push_back(loss_cell(final_train_loss(run)));
      row.push_back(number_cell(run.step, format_count(run.step)));
      row.push_back(run.tokens_per_s > 0
                        ? number_cell(run.tokens_per_s, count_text(run.tokens_per_s))
                        : Cell{});
      row.push_back(run.wall_seconds > 0
                        ? number_cell(run.wall_seconds, format_duration(run.wall_seconds))
                        : Cell{});
      row.push_back(state_cell(run));
      rows.push_back(std::move(row));
    }
  return html_table("runs", heads, rows, true);
}

}  // namespace bitlab
