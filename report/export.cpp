#include "report/export.h"

#include <fmt/format.h>

#include "core/base/files.h"
#include "core/io/atomic_file.h"
#include "core/io/metrics.h"
#include "report/compare.h"
#include "report/value_table.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// One of the files of rows: the run's columns, then those of the table.
class RowFile {
 public:
  RowFile(const fs::path& path, const std::string& head) : file_(path) { write(head + "\n"); }

  template <class... Values>
  void add(const std::string& run, const Values&... values) {
    std::string line = run;
    ((line += fmt::format(",{}", values)), ...);
    write(line + "\n");
    ++rows_;
  }

  std::size_t rows() const { return rows_; }

  std::size_t commit() {
    file_.commit();
    return rows_;
  }

 private:
  void write(const std::string& line) { file_.write(line.data(), line.size()); }

  AtomicFile file_;
  std::size_t rows_ = 0;
};

// "run,arm,seed,optim.lr" and what stands there of one run.
std::string joined(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : ",") + escape_csv(field);
  return line;
}

std::string run_columns(const RunRecord& run, const std::vector<std::string>& swept) {
  std::vector<std::string> fields = {run.id, run.base, std::to_string(run.run.seed)};
  for (const std::string& path : swept) fields.push_back(to_text(value_of(run, path)));
  return joined(fields);
}

ValueTable runs_table(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys = {"id", "arm", "seed"};
  for (const std::string& path : differing_settings(runs)) keys.push_back(path);
  for (const char* key :
       {"state", "reason", "step", "steps", "params", "ternary_params", "val_loss", "val_loss_best",
        "train_loss", "accuracy", "f1", "tokens_per_s", "train_seconds", "wall_seconds",
        "bytes_full", "bytes_packed", "started", "ended", "build"})
    keys.push_back(key);
  ValueTable table;
  for (const std::string& key : keys) table.columns.push_back({key == "id" ? "run" : key, key});
  for (const RunRecord& run : runs) {
    auto& row = table.rows.emplace_back();
    for (const std::string& key : keys) row.push_back(value_of(run, key));
  }
  return table;
}

}  // namespace

ExportedRows export_csv(const std::vector<RunRecord>& runs, const fs::path& folder) {
  const std::vector<std::string> swept = swept_settings(runs);
  std::vector<std::string> columns = {"run", "arm", "seed"};
  columns.insert(columns.end(), swept.begin(), swept.end());
  const std::string head = joined(columns);
  RowFile train(folder / "train.csv", head + ",step,tokens,seconds,loss,lr,grad_norm");
  RowFile eval(folder / "eval.csv", head + ",step,split,loss,stderr,tokens");
  RowFile quant(folder / "quant.csv", head + ",step,layer,minus,zero,plus,flips,scale");
  RowFile scores(folder / "scores.csv", head + ",step,split,accuracy,f1,calibration_error");
  RowFile predictions(folder / "predictions.csv",
                      head + ",step,text,label,predicted,probability,loss");
  for (const RunRecord& run : runs) {
    if (!fs::exists(run.run.dir / "metrics.h5")) continue;
    const RunMetrics metrics = read_metrics(run.run.dir / "metrics.h5");
    const std::string before = run_columns(run, swept);
    for (const TrainRow& r : metrics.train)
      train.add(before, r.step, r.tokens, r.seconds, r.loss, r.lr, r.grad_norm);
    for (const EvalRow& r : metrics.eval)
      eval.add(before, r.step, escape_csv(r.split), r.loss, r.standard_error, r.tokens);
    for (const QuantRow& r : metrics.quant)
      quant.add(before, r.step, escape_csv(r.layer), r.minus, r.zero, r.plus, r.flips, r.scale);
    for (const ScoreRow& r : metrics.scores)
      scores.add(before, r.step, escape_csv(r.split), r.accuracy, r.f1, r.calibration_error);
    for (const PredictionRow& r : metrics.predictions)
      predictions.add(before, r.step, r.text, r.label, r.predicted, r.probability, r.loss);
  }
  write_file_atomic(folder / "runs.csv", format_values(runs_table(runs), TableFormat::Csv));
  ExportedRows rows{runs.size(), train.commit(), eval.commit(), quant.commit()};
  if (scores.rows() > 0) rows.scores = scores.commit();
  if (predictions.rows() > 0) rows.predictions = predictions.commit();
  return rows;
}

}  // namespace bitlab
