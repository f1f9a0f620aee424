#include "experiments/packed_model.h"

#include <utility>

#include "core/quant/packing.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {
constexpr const char* kFormat = "bitlab packed 1";
}

std::map<std::string, std::string> packed_metadata() { return {{"format", kFormat}}; }

bool is_packed(const SafetensorsFile& file) {
  const auto format = file.metadata().find("format");
  return format != file.metadata().end() && format->second == kFormat;
}

void PackedWriter::add_ternary(const std::string& name,
                               const std::int8_t* codes,
                               std::size_t rows,
                               std::size_t cols,
                               float scale) {
  packed_.push_back(pack_ternary(codes, rows, cols));
  floats_.push_back({scale});
  tensors_.push_back({name, DType::U8, {packed_rows(rows), cols}, packed_.back().data()});
  tensors_.push_back({name + "_scale", DType::F32, {1}, floats_.back().data()});
  metadata_["rows." + name] = std::to_string(rows);
}

void PackedWriter::add_full(const std::string& name,
                            std::vector<std::size_t> shape,
                            std::vector<float> values) {
  floats_.push_back(std::move(values));
  tensors_.push_back({name, rest_, std::move(shape), floats_.back().data(), /*from_floats=*/true});
}

std::uintmax_t PackedWriter::write(const fs::path& path) const {
  write_safetensors(path, tensors_, metadata_);
  return fs::file_size(path);
}

std::uintmax_t write_packed(const fs::path& path, const LanguageModel& model, DType rest) {
  PackedWriter writer(rest);
  model.visit_ternary([&](const TernaryStats& t) {
    writer.add_ternary(t.name, t.codes, t.rows, t.cols, static_cast<float>(t.scale));
  });
  for (const Param* p : model.params().params())
    if (!p->ternary)
      writer.add_full(p->name, {p->rows, p->cols}, {p->value.data, p->value.data + p->size()});
  return writer.write(path);
}

namespace {

void load_ternary(const SafetensorsFile& file, const Param& p, LanguageModel& model) {
  std::vector<std::uint8_t> packed(packed_rows(p.rows) * p.cols);
  file.read(p.name, packed.data(), packed.size());
  float a = 0;
  file.read(p.name + "_scale", &a, 1);
  model.fix_ternary(p.name, unpack_ternary(packed, p.rows, p.cols), static_cast<real>(a));
}

}  // namespace

void load_packed(const fs::path& path, LanguageModel& model, std::uint64_t step, Tables tables) {
  const SafetensorsFile file(path);
  for (const Param* p : model.params().params()) {
    if (p->ternary)
      load_ternary(file, *p, model);
    else
      read_param(file, *p, model, tables);
  }
  model.prepare(step);
}

}  // namespace bitlab
