#include "experiments/packed_model.h"

#include <deque>
#include <map>
#include <vector>

#include "core/io/safetensors.h"
#include "core/quant/packing.h"

namespace bitlab {

namespace fs = std::filesystem;

std::uintmax_t write_packed(const fs::path& path, const LanguageModel& model) {
  std::deque<std::vector<std::uint8_t>> packed;  // deques: the tensors point into them
  std::deque<float> scales;
  std::deque<std::vector<float>> full;
  std::vector<TensorBytes> tensors;
  std::map<std::string, std::string> metadata = {{"format", "bitlab packed 1"}};
  model.visit_ternary([&](const TernaryStats& t) {
    packed.push_back(pack_ternary(t.codes, t.rows, t.cols));
    scales.push_back(static_cast<float>(t.scale));
    tensors.push_back({t.name, DType::U8, {packed_rows(t.rows), t.cols}, packed.back().data()});
    tensors.push_back({t.name + "_scale", DType::F32, {1}, &scales.back()});
    metadata["rows." + t.name] = std::to_string(t.rows);
  });
  for (const Param* p : model.params().params()) {
    if (p->ternary) continue;
    full.emplace_back(p->value.data, p->value.data + p->size());
    tensors.push_back({p->name, DType::F32, {p->rows, p->cols}, full.back().data()});
  }
  write_safetensors(path, tensors, metadata);
  return fs::file_size(path);
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

void load_packed(const fs::path& path, LanguageModel& model, std::uint64_t step) {
  const SafetensorsFile file(path);
  for (const Param* p : model.params().params()) {
    if (p->ternary)
      load_ternary(file, *p, model);
    else
      file.read(p->name, p->value.data, p->size());
  }
  model.prepare(step);
}

}  // namespace bitlab
