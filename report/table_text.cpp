// The tables that people read: Markdown and LaTeX.
#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "report/format.h"
#include "report/table_writers.h"
#include "report/text_table.h"

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

// What the columns mean; the same sentence under both tables.
std::string legend(const Results& results) {
  return fmt::format(
      "Losses in nats/{}, mean ± sd over the seeds that are done; best is each seed's lowest. "
      "Tokens/s, wall time and model file sizes are those of one run. Data: {}.",
      results.data.unit, results.data.source);
}

TextTable text_table(const std::vector<TableRow>& rows) {
  TextTable table;
  for (std::size_t c = 0; c < kColumns; ++c) table.heads.push_back({kHeads[c], left_aligned(c)});
  for (const TableRow& row : rows) {
    const Cells cells = cells_of(row);
    table.rows.emplace_back(cells.begin(), cells.end());
  }
  return table;
}

}  // namespace

std::string markdown_table(const Results& results, const std::vector<TableRow>& rows) {
  return markdown_text(text_table(rows)) + "\n" + escape_markdown(legend(results)) + "\n";
}

std::string tex_table(const Results& results, const std::vector<TableRow>& rows) {
  return "% " + escape_tex(results.title) + "\n% " + escape_tex(legend(results)) + "\n" +
         tex_text(text_table(rows));
}

}  // namespace bitlab
