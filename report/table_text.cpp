// The tables that people read: Markdown and LaTeX.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "report/format.h"
#include "report/labels.h"
#include "report/table_writers.h"

namespace bitlab {

namespace {

constexpr std::size_t kColumns = 12;
constexpr const char* kNone = "–";
using Cells = std::array<std::string, kColumns>;

constexpr std::array<const char*, kColumns> kHeads = {
    "arm",        "seeds",    "parameters", "ternary", "final val loss", "best val loss",
    "train loss", "tokens/s", "wall time",  "full",    "packed",         "runs"};

bool left_aligned(std::size_t column) { return column == 0 || column + 1 == kColumns; }

std::string loss_cell(const Summary& loss) {
  if (loss.n == 0) return kNone;
  return format_fixed(loss.mean, 4) + (loss.sd ? " ± " + format_fixed(*loss.sd, 4) : "");
}

template <class Format>
std::string mean_cell(const Summary& summary, Format format) {
  return summary.n == 0 ? kNone : format(summary.mean);
}

Cells cells_of(const TableRow& row) {
  const auto count = [](double x) { return format_count(static_cast<std::int64_t>(x + 0.5)); };
  const auto bytes = [](double x) { return format_bytes(static_cast<std::int64_t>(x + 0.5)); };
  const double share = row.params > 0 ? 100.0 * static_cast<double>(row.ternary_params) /
                                            static_cast<double>(row.params)
                                      : 0;
  return {row.arm,
          std::to_string(row.seeds.size()),
          format_count(row.params),
          format_fixed(share, 1) + " %",
          loss_cell(row.val_final),
          loss_cell(row.val_best),
          loss_cell(row.train_final),
          mean_cell(row.tokens_per_s, count),
          mean_cell(row.wall_seconds, format_duration),
          mean_cell(row.bytes_full, bytes),
          mean_cell(row.bytes_packed, bytes),
          row.states};
}

std::string padded(const std::string& text, std::size_t to, bool left) {
  const std::string space(to - std::min(to, count_characters(text)), ' ');
  return left ? text + space : space + text;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// What the columns mean; the same sentence under both tables.
std::string legend(const Results& results) {
  return fmt::format(
      "Losses in nats/{}, mean ± sd over the seeds that are done; best is each seed's lowest. "
      "Tokens/s, wall time and model file sizes are those of one run. Data: {}.",
      results.data.unit, results.data.source);
}

}  // namespace

std::string escape_markdown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (std::string("\\|*`<").find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string escape_tex(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '<':
        out += "\\textless{}";
        break;
      case '>':
        out += "\\textgreater{}";
        break;
      case '|':
        out += "\\textbar{}";
        break;
      case '\n':
      case '\r':
        out += ' ';
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return replace_all(replace_all(out, "±", "$\\pm$"), "–", "--");
}

std::string markdown_table(const Results& results, const std::vector<TableRow>& rows) {
  std::vector<Cells> lines(1);
  std::copy(kHeads.begin(), kHeads.end(), lines[0].begin());
  for (const TableRow& row : rows) lines.push_back(cells_of(row));
  std::array<std::size_t, kColumns> widths{};
  for (Cells& line : lines)
    for (std::size_t c = 0; c < kColumns; ++c) {
      line[c] = escape_markdown(line[c]);
      widths[c] = std::max(widths[c], count_characters(line[c]));
    }
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (std::size_t c = 0; c < kColumns; ++c)
      out += "| " + padded(lines[i][c], widths[c], left_aligned(c)) + " ";
    out += "|\n";
    if (i > 0) continue;
    for (std::size_t c = 0; c < kColumns; ++c)
      out += left_aligned(c) ? "|" + std::string(widths[c] + 2, '-')
                             : "|" + std::string(widths[c] + 1, '-') + ":";
    out += "|\n";
  }
  return out + "\n" + escape_markdown(legend(results)) + "\n";
}

std::string tex_table(const Results& results, const std::vector<TableRow>& rows) {
  std::string out = "% " + escape_tex(results.title) + "\n% " + escape_tex(legend(results)) + "\n";
  out += "\\begin{tabular}{";
  for (std::size_t c = 0; c < kColumns; ++c) out += left_aligned(c) ? 'l' : 'r';
  out += "}\n\\hline\n";
  const auto add_line = [&out](const auto& cells) {
    for (std::size_t c = 0; c < kColumns; ++c) out += (c > 0 ? " & " : "") + escape_tex(cells[c]);
    out += " \\\\\n";
  };
  add_line(kHeads);
  out += "\\hline\n";
  for (const TableRow& row : rows) add_line(cells_of(row));
  return out + "\\hline\n\\end{tabular}\n";
}

}  // namespace bitlab
