#pragma once
// The metrics of one run: metrics.h5, one writer, any number of readers, readable at every moment.
//
//   /train  step, tokens, seconds, loss, lr, grad_norm        one row a log point
//   /eval   step, split, loss, stderr, tokens                 split: "train" or "val"
//   /quant  step, layer, minus, zero, plus, flips, scale      one row a ternary weight matrix and
//   log point
// Of runs that classify texts also
//   /scores       step, split, accuracy, f1, calibration_error          one row an evaluation
//   /predictions  step, text, label, predicted, probability, loss       of val, at the last step
//
// Each is a chunked, extendible 1-D compound dataset with the attribute `units`. The writer keeps
// the file in memory and replaces it as a whole at every log point, so that it is complete whenever
// it is opened, by a plain h5py.File(path) too, and after kill -9.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bitlab {

struct TrainRow {
  std::int64_t step = 0;    // optimiser steps done
  std::int64_t tokens = 0;  // seen so far
  double seconds = 0;       // of training, over all attempts, evaluation not counted
  double loss = 0;          // nats a token, mean over the steps since the last row
  double lr = 0;
  double grad_norm = 0;  // before clipping, of the last step
};

struct EvalRow {
  std::int64_t step = 0;
  std::string split;          // at most 15 characters
  double loss = 0;            // nats a token
  double standard_error = 0;  // of that mean; column "stderr"
  std::int64_t tokens = 0;    // evaluated
};

struct QuantRow {
  std::int64_t step = 0;
  std::string layer;                     // name of the latent parameter, at most 95 characters
  double minus = 0, zero = 0, plus = 0;  // fractions
  double flips = 0;                      // fraction of codes that changed since the last row
  double scale = 0;
};

// Defined in core/io/classification_scores.h.
struct ScoreRow {
  std::int64_t step = 0;
  std::string split;  // at most 15 characters
  double accuracy = 0, f1 = 0, calibration_error = 0;
};

// What a model said of one text.
struct PredictionRow {
  std::int64_t step = 0;
  std::int64_t text = 0;                  // its number in the source, the same for every model
  std::int64_t label = 0, predicted = 0;  // numbers of labels
  double probability = 0;                 // of the predicted label
  double loss = 0;                        // nats
};

// Writes metrics.h5. Rows are buffered until flush().
class MetricsWriter {
 public:
  // Creates the file, or opens it to go on after `resume_step`: rows of later steps are cut off,
  // and those of that step's evaluation too unless it is `evaluated`. Throws Error if the file
  // cannot be written or is not a metrics file.
  static MetricsWriter create(const std::filesystem::path& path,
                              const std::map<std::string, std::string>& attributes);
  static MetricsWriter resume(const std::filesystem::path& path,
                              std::int64_t resume_step,
                              bool evaluated = true);
  MetricsWriter(MetricsWriter&&) noexcept;
  MetricsWriter& operator=(MetricsWriter&&) noexcept;
  ~MetricsWriter();

  void append(const TrainRow& row);
  void append(const EvalRow& row);
  void append(const QuantRow& row);
  void append(const ScoreRow& row);
  void append(const PredictionRow& row);
  void flush();  // throws Obstacle if the disk is full
  void sync();   // the same, and forces it to disk

 private:
  struct Impl;
  explicit MetricsWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct RunMetrics {
  std::vector<TrainRow> train;
  std::vector<EvalRow> eval;
  std::vector<QuantRow> quant;
  std::vector<ScoreRow> scores;
  std::vector<PredictionRow> predictions;
  std::map<std::string, std::string> attributes;
};

struct RunCurves {
  std::vector<TrainRow> train;
  std::vector<EvalRow> eval;
  std::vector<ScoreRow> scores;
};

// Reads everything. Safe while a writer is at work. Throws Error if the file is missing or damaged.
RunMetrics read_metrics(const std::filesystem::path& path);

// The same, but only what curves over training need.
RunCurves read_curves(const std::filesystem::path& path);

}  // namespace bitlab
