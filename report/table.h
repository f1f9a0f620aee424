#pragma once
// The result table: one row an arm, figures over the seeds that are done.
#include <cstdint>
#include <string>
#include <vector>

#include "report/results.h"
#include "report/statistics.h"

namespace bitlab {

struct TableRow {
  std::string arm;
  std::vector<std::int64_t> seeds;  // done
  std::size_t seeds_planned = 0;
  std::int64_t params = 0, ternary_params = 0;
  Summary val_final, val_best,
      train_final;                     // nats a token; best: the lowest evaluation of each seed
  Summary val_bits_per_byte;           // of val_final, where DataUsed::in_subwords()
  Summary tokens_per_s, wall_seconds;  // of a run
  Summary accuracy, f1;                // of texts that are classified
  Summary bytes_full, bytes_packed;    // measured sizes of the model files
  std::string states;                  // describe_states()
};

std::vector<TableRow> table_rows(const Results& results);

// Whether any row has them.
bool have_bits_per_byte(const std::vector<TableRow>& rows);

// Whether some arm classifies texts.
bool have_scores(const std::vector<TableRow>& rows);

// "3 of 3 done", "2 of 3 done; seed 3 failed: diverged at step 120; seeds 4, 5 not started".
std::string describe_states(const ArmResult& arm);

enum class TableFormat { Markdown, Csv, Tex, Json };

// "md", "csv", "tex" (or "latex"), "json". Throws UsageError for anything else.
TableFormat parse_table_format(const std::string& name);

// The whole table as text, ending with a newline. CSV and JSON have the same columns: arm, seeds,
// params, ternary_params, val_loss_mean, val_loss_sd, val_loss_best, train_loss_mean, tokens_per_s,
// wall_seconds, bytes_full, bytes_packed, seed_list, seeds_planned, states, and of texts that are
// classified accuracy_mean, accuracy_sd, f1_mean. `seeds` counts the
// seeds that are done, val_loss_mean is the mean of their final validation losses, val_loss_best
// the mean of each seed's lowest. Where tokens are neither characters nor bytes,
// val_bits_per_byte_mean comes after val_loss_best. What was not measured (an sd of one seed) is
// null, or empty in CSV.
std::string format_table(const Results& results, TableFormat format);

}  // namespace bitlab
