#include "core/io/metrics.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/hdf5_table.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSplitSize = 16, kLayerSize = 96;

// Rows as they lie in memory and in the file; a TrainRow is one as it is.
struct EvalRecord {
  std::int64_t step;
  char split[kSplitSize];
  double loss, standard_error;
  std::int64_t tokens;
};

struct QuantRecord {
  std::int64_t step;
  char layer[kLayerSize];
  double minus, zero, plus, flips, scale;
};

const TableSchema kTrain{"/train",
                         sizeof(TrainRow),
                         {{"step", Kind::Integer, offsetof(TrainRow, step), "optimiser steps"},
                          {"tokens", Kind::Integer, offsetof(TrainRow, tokens), "tokens"},
                          {"seconds", Kind::Number, offsetof(TrainRow, seconds), "s"},
                          {"loss", Kind::Number, offsetof(TrainRow, loss), "nats/token"},
                          {"lr", Kind::Number, offsetof(TrainRow, lr), "1"},
                          {"grad_norm", Kind::Number, offsetof(TrainRow, grad_norm), "1"}}};

const TableSchema kEval{
    "/eval",
    sizeof(EvalRecord),
    {{"step", Kind::Integer, offsetof(EvalRecord, step), "optimiser steps"},
     {"split", Kind::Text, offsetof(EvalRecord, split), "name", kSplitSize},
     {"loss", Kind::Number, offsetof(EvalRecord, loss), "nats/token"},
     {"stderr", Kind::Number, offsetof(EvalRecord, standard_error), "nats/token"},
     {"tokens", Kind::Integer, offsetof(EvalRecord, tokens), "tokens"}}};

const TableSchema kQuant{"/quant",
                         sizeof(QuantRecord),
                         {{"step", Kind::Integer, offsetof(QuantRecord, step), "optimiser steps"},
                          {"layer", Kind::Text, offsetof(QuantRecord, layer), "name", kLayerSize},
                          {"minus", Kind::Number, offsetof(QuantRecord, minus), "fraction"},
                          {"zero", Kind::Number, offsetof(QuantRecord, zero), "fraction"},
                          {"plus", Kind::Number, offsetof(QuantRecord, plus), "fraction"},
                          {"flips", Kind::Number, offsetof(QuantRecord, flips), "fraction"},
                          {"scale", Kind::Number, offsetof(QuantRecord, scale), "1"}}};

struct ScoreRecord {
  std::int64_t step;
  char split[kSplitSize];
  double accuracy, f1, calibration_error;
};

const TableSchema kScores{
    "/scores",
    sizeof(ScoreRecord),
    {{"step", Kind::Integer, offsetof(ScoreRecord, step), "optimiser steps"},
     {"split", Kind::Text, offsetof(ScoreRecord, split), "name", kSplitSize},
     {"accuracy", Kind::Number, offsetof(ScoreRecord, accuracy), "fraction"},
     {"f1", Kind::Number, offsetof(ScoreRecord, f1), "1"},
     {"calibration_error", Kind::Number, offsetof(ScoreRecord, calibration_error), "fraction"}}};

const TableSchema kPredictions{
    "/predictions",
    sizeof(PredictionRow),
    {{"step", Kind::Integer, offsetof(PredictionRow, step), "optimiser steps"},
     {"text", Kind::Integer, offsetof(PredictionRow, text), "number"},
     {"label", Kind::Integer, offsetof(PredictionRow, label), "number"},
     {"predicted", Kind::Integer, offsetof(PredictionRow, predicted), "number"},
     {"probability", Kind::Number, offsetof(PredictionRow, probability), "fraction"},
     {"loss", Kind::Number, offsetof(PredictionRow, loss), "nats/text"}}};

template <class Record>
std::vector<Record> read_records(hid_t file, const TableSchema& schema, const std::string& where) {
  const std::vector<char> bytes = read_table(file, schema, where);
  std::vector<Record> records(bytes.size() / sizeof(Record));
  if (!bytes.empty()) std::memcpy(records.data(), bytes.data(), bytes.size());
  return records;
}

// Of a table that only some runs have.
template <class Record>
std::vector<Record> read_optional(hid_t file, const TableSchema& schema, const std::string& where) {
  if (H5Lexists(file, schema.path, H5P_DEFAULT) <= 0) return {};
  return read_records<Record>(file, schema, where);
}

herr_t read_attribute(hid_t file, const char* name, const H5A_info_t*, void* out) {
  const Hdf5Handle attribute(H5Aopen(file, name, H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) > 0) return 0;
  std::string value(H5Tget_size(type.id()), '\0');
  if (H5Aread(attribute.id(), type.id(), value.data()) < 0) return -1;
  (*static_cast<std::map<std::string, std::string>*>(out))[name] = value.c_str();
  return 0;
}

Hdf5Handle open_to_read(const fs::path& path) {
  return Hdf5Handle(check_hdf5(H5Fopen(path.c_str(), H5F_ACC_RDONLY, unlocked_access().id()),
                               path.string(), "cannot be opened as a metrics file"),
                    H5Fclose);
}

RunCurves curves_of(hid_t file, const std::string& where) {
  RunCurves curves;
  curves.train = read_records<TrainRow>(file, kTrain, where);
  for (const EvalRecord& r : read_records<EvalRecord>(file, kEval, where))
    curves.eval.push_back({r.step, r.split, r.loss, r.standard_error, r.tokens});
  for (const ScoreRecord& r : read_optional<ScoreRecord>(file, kScores, where))
    curves.scores.push_back({r.step, r.split, r.accuracy, r.f1, r.calibration_error});
  return curves;
}

RunMetrics metrics_of(hid_t file, const std::string& where) {
  RunMetrics metrics;
  RunCurves curves = curves_of(file, where);
  metrics.train = std::move(curves.train);
  metrics.eval = std::move(curves.eval);
  metrics.scores = std::move(curves.scores);
  for (const QuantRecord& r : read_records<QuantRecord>(file, kQuant, where))
    metrics.quant.push_back({r.step, r.layer, r.minus, r.zero, r.plus, r.flips, r.scale});
  metrics.predictions = read_optional<PredictionRow>(file, kPredictions, where);
  check_hdf5(
      H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, read_attribute, &metrics.attributes),
      where, "attributes cannot be read");
  return metrics;
}

// `read` of an opened file.
template <class Read>
auto read_opened(const fs::path& path, Read read) {
  const QuietHdf5 quiet;
  return read(open_to_read(path).id(), path.string());
}

void copy_text(const std::string& text, char* out, std::size_t size, const std::string& where) {
  if (text.size() >= size)
    throw Error(where, "'" + text + "' must have at most " + std::to_string(size - 1) +
                           " characters, but has " + std::to_string(text.size()));
  text.copy(out, size - 1);
}

// Appends the rows up to `last_step`; rows are in the order of their steps.
template <class Row>
void append_until(MetricsWriter& writer, const std::vector<Row>& rows, std::int64_t last_step) {
  for (const Row& row : rows) {
    if (row.step > last_step) break;
    writer.append(row);
  }
}

fs::path temporary_of(const fs::path& path) { return path.string() + ".tmp"; }

// Access to a file that lives in memory only.
Hdf5Handle memory_access(const std::string& where) {
  Hdf5Handle access(check_hdf5(H5Pcreate(H5P_FILE_ACCESS), where, "has no access list"), H5Pclose);
  check_hdf5(H5Pset_fapl_core(access.id(), std::size_t{1} << 16, /*backing_store=*/0), where,
             "cannot be kept in memory");
  return access;
}

// The bytes that the file would have on disk.
std::vector<char> image_of(hid_t file, const std::string& where) {
  check_hdf5(H5Fflush(file, H5F_SCOPE_GLOBAL), where, "cannot be written");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check_hdf5(size, where, "has no image");
  std::vector<char> image(static_cast<std::size_t>(size));
  check_hdf5(H5Fget_file_image(file, image.data(), image.size()), where, "has no image");
  return image;
}

// Replaces the file as a whole, so that whoever opens it finds one that is complete. It is not
// forced to disk: a kill loses nothing.
void replace(const fs::path& path, const std::vector<char>& image) {
  const fs::path temporary = temporary_of(path);
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(image.data(), static_cast<std::streamsize>(image.size()));
  out.close();
  if (!out) {
    const std::string why = std::strerror(errno);
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw Obstacle(path.string(), "cannot be written: " + why,
                   "free some disk space and run the same command again");
  }
  std::error_code error;
  fs::rename(temporary, path, error);
  if (error) throw Obstacle(path.string(), "cannot be replaced: " + error.message());
}

}  // namespace

struct MetricsWriter::Impl {
  fs::path path;
  std::string where;
  Hdf5Handle
      file;  // in memory: HDF5 does not write a file in place so that it is whole at any time
  TableWriter train, eval, quant;
  std::optional<TableWriter> scores, predictions;  // once there is a row
  bool written = false;                            // all rows are in the file on disk

  Impl(const fs::path& file_path, const std::map<std::string, std::string>& attributes)
      : path(file_path),
        where(path.string()),
        file(check_hdf5(
                 H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, memory_access(where).id()),
                 where,
                 "cannot be created"),
             H5Fclose),
        train(file.id(), kTrain, where),
        eval(file.id(), kEval, where),
        quant(file.id(), kQuant, where) {
    for (const auto& [name, value] : attributes)
      write_attribute(file.id(), name, {value}, false, where);
  }

  void append(std::optional<TableWriter>& table, const TableSchema& schema, const void* row) {
    const QuietHdf5 quiet;
    if (!table) table.emplace(file.id(), schema, where);
    table->append(row);
    written = false;
  }
};

MetricsWriter::MetricsWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsWriter::MetricsWriter(MetricsWriter&&) noexcept = default;
MetricsWriter& MetricsWriter::operator=(MetricsWriter&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

MetricsWriter::~MetricsWriter() {
  if (!impl_) return;
  const QuietHdf5 quiet;
  try {
    flush();
  } catch (const Error&) {
    // Rows that nobody flushed are lost; a destructor cannot say so.
  }
  impl_.reset();
}

MetricsWriter MetricsWriter::create(const fs::path& path,
                                    const std::map<std::string, std::string>& attributes) {
  const QuietHdf5 quiet;
  MetricsWriter writer(std::make_unique<Impl>(path, attributes));
  writer.flush();
  return writer;
}

MetricsWriter MetricsWriter::resume(const fs::path& path,
                                    std::int64_t resume_step,
                                    bool evaluated) {
  const QuietHdf5 quiet;
  const RunMetrics kept = read_metrics(path);
  MetricsWriter writer(std::make_unique<Impl>(path, kept.attributes));
  append_until(writer, kept.train, resume_step);
  const std::int64_t last = evaluated ? resume_step : resume_step - 1;
  append_until(writer, kept.eval, last);
  append_until(writer, kept.quant, last);
  append_until(writer, kept.scores, last);
  append_until(writer, kept.predictions, last);
  writer.flush();
  return writer;
}

void MetricsWriter::append(const TrainRow& row) {
  impl_->train.append(&row);
  impl_->written = false;
}

void MetricsWriter::append(const EvalRow& row) {
  EvalRecord record{row.step, {}, row.loss, row.standard_error, row.tokens};
  copy_text(row.split, record.split, kSplitSize, impl_->where);
  impl_->eval.append(&record);
  impl_->written = false;
}

void MetricsWriter::append(const QuantRow& row) {
  QuantRecord record{row.step, {}, row.minus, row.zero, row.plus, row.flips, row.scale};
  copy_text(row.layer, record.layer, kLayerSize, impl_->where);
  impl_->quant.append(&record);
  impl_->written = false;
}

void MetricsWriter::append(const ScoreRow& row) {
  ScoreRecord record{row.step, {}, row.accuracy, row.f1, row.calibration_error};
  copy_text(row.split, record.split, kSplitSize, impl_->where);
  impl_->append(impl_->scores, kScores, &record);
}

void MetricsWriter::append(const PredictionRow& row) {
  impl_->append(impl_->predictions, kPredictions, &row);
}

void MetricsWriter::flush() {
  if (impl_->written) return;
  const QuietHdf5 quiet;
  impl_->train.write();
  impl_->eval.write();
  impl_->quant.write();
  for (auto* table : {&impl_->scores, &impl_->predictions})
    if (*table) (*table)->write();
  replace(impl_->path, image_of(impl_->file.id(), impl_->where));
  impl_->written = true;
}

void MetricsWriter::sync() {
  flush();
  sync_path(impl_->path);
  sync_path(impl_->path.has_parent_path() ? impl_->path.parent_path() : fs::path("."));
}

RunMetrics read_metrics(const fs::path& path) { return read_opened(path, metrics_of); }

RunCurves read_curves(const fs::path& path) { return read_opened(path, curves_of); }

}  // namespace bitlab
