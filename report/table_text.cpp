// The tables that people read: Markdown and LaTeX.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>

#include "report/format.h"
#include "report/table_writers.h"
#include "report/text_table.h"

namespace bitlab {

namespace {

constexpr const char* kNone = "–";

std::string loss_cell(const Summary& loss) {
  if (loss.n == 0) return kNone;
  return format_fixed(loss.mean, 4) + (loss.sd ? " ± " + format_fixed(*loss.sd, 4) : "");
}

template <class Format>
std::string mean_cell(const Summary& summary, Format format) {
  return summary.n == 0 ? kNone : format(summary.mean);
}

std::string ternary_cell(const TableRow& row) {
  const double share = row.params > 0 ? 100.0 * static_cast<double>(row.ternary_params) /
                                            static_cast<double>(row.params)
                                      : 0;
  return format_fixed(share, 1) + " %";
}

struct Column {
  TextTable::Head head;
  std::function<std::string(const TableRow& row)> cell;
};

// Bits a byte and scores only where there are some.
std::vector<Column> columns(const std::vector<TableRow>& rows) {
  using R = const TableRow&;
  const auto count = [](double x) { return format_count(static_cast<std::int64_t>(x + 0.5)); };
  const auto bytes = [](double x) { return format_bytes(static_cast<std::int64_t>(x + 0.5)); };
  std::vector<Column> all = {
      {{"arm", true}, [](R row) { return row.arm; }},
      {{"seeds"}, [](R row) { return std::to_string(row.seeds.size()); }},
      {{"parameters"}, [](R row) { return format_count(row.params); }},
      {{"ternary"}, ternary_cell},
      {{"accuracy"}, [](R row) { return loss_cell(row.accuracy); }},
      {{"F1"}, [](R row) { return loss_cell(row.f1); }},
      {{"final val loss"}, [](R row) { return loss_cell(row.val_final); }},
      {{"bits/byte"}, [](R row) { return loss_cell(row.val_bits_per_byte); }},
      {{"best val loss"}, [](R row) { return loss_cell(row.val_best); }},
      {{"train loss"}, [](R row) { return loss_cell(row.train_final); }},
      {{"tokens/s"}, [=](R row) { return mean_cell(row.tokens_per_s, count); }},
      {{"wall time"}, [](R row) { return mean_cell(row.wall_seconds, format_duration); }},
      {{"full"}, [=](R row) { return mean_cell(row.bytes_full, bytes); }},
      {{"packed"}, [=](R row) { return mean_cell(row.bytes_packed, bytes); }},
      {{"runs", true}, [](R row) { return row.states; }}};
  const bool bits = have_bits_per_byte(rows), scores = have_scores(rows);
  std::erase_if(all, [&](const Column& column) {
    const std::string& head = column.head.text;
    return (head == "bits/byte" && !bits) || ((head == "accuracy" || head == "F1") && !scores);
  });
  return all;
}

// Whether a run has a training loss, and not by an evaluation.
bool train_as_learned(const SeedResult& run) {
  return !run.train.empty() &&
         std::none_of(run.eval.begin(), run.eval.end(),
                      [](const EvalRow& row) { return row.split == "train"; });
}

// What the columns mean; the same sentence under both tables.
std::string legend(const Results& results, bool with_bits) {
  bool fades = false, as_learned = false;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      fades |= run.settled_step > 0;
      as_learned |= train_as_learned(run);
    }
  return fmt::format(
      "Losses in nats/{}, mean ± sd over the seeds that are done; best is each seed's lowest{}. "
      "{}{}"
      "Tokens/s, wall time and model file sizes are those of one run. Data: {}.",
      results.data.unit, fades ? ", where quantisation fades in once it has" : "",
      as_learned ? "Train loss is what the last tenth of the steps learned from, a teacher's terms "
                   "included. "
                 : "",
      with_bits ? "Bits/byte are the final val loss a byte of text, comparable across tokenizers. "
                : "",
      results.data.source);
}

TextTable text_table(const std::vector<TableRow>& rows) {
  TextTable table;
  table.rows.resize(rows.size());
  for (const Column& column : columns(rows)) {
    table.heads.push_back(column.head);
    for (std::size_t i = 0; i < rows.size(); ++i) table.rows[i].push_back(column.cell(rows[i]));
  }
  return table;
}

}  // namespace

std::string markdown_table(const Results& results, const std::vector<TableRow>& rows) {
  return markdown_text(text_table(rows)) + "\n" +
         escape_markdown(legend(results, have_bits_per_byte(rows))) + "\n";
}

std::string tex_table(const Results& results, const std::vector<TableRow>& rows) {
  return "% " + escape_tex(results.title) + "\n% " +
         escape_tex(legend(results, have_bits_per_byte(rows))) + "\n" + tex_text(text_table(rows));
}

}  // namespace bitlab
