#include "experiments/hf_writer.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/quant/packing.h"
#include "core/text/subword.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

void HfWriter::add_floats(DType dtype, bool ternary_too) {
  for (const Param* p : model_.params().params()) {
    if (p->ternary && !ternary_too) continue;
    // One type of tokens is a table of one row.
    const auto shape = p->rows == 1 && p->name != "embedding.type.weight"
                           ? std::vector<std::size_t>{p->cols}
                           : std::vector<std::size_t>{p->rows, p->cols};
    tensors_.push_back({name_of_(p->name), dtype, shape, p->value.data, /*from_floats=*/true});
  }
}

void HfWriter::add_ternary_values(DType dtype) {
  model_.visit_ternary([&](const TernaryStats& t) {
    std::vector<float>& values = values_.emplace_back(t.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(t.scale) * static_cast<float>(t.codes[i]);
    tensors_.push_back(
        {name_of_(t.name), dtype, {t.rows, t.cols}, values.data(), /*from_floats=*/true});
  });
}

void HfWriter::add_codes() {
  model_.visit_ternary([&](const TernaryStats& t) {
    if (t.rows % 4 != 0)
      throw UsageError("export",
                       "rows must be a multiple of 4 to be packed, but " + t.name + " has " +
                           std::to_string(t.rows),
                       "--weights f32");
    const std::string name = name_of_(t.name);
    packed_.push_back(pack_ternary(t.codes, t.rows, t.cols));
    scales_.push_back(static_cast<float>(t.scale));
    tensors_.push_back({name, DType::U8, {t.rows / 4, t.cols}, packed_.back().data()});
    tensors_.push_back({name + "_scale", DType::F32, {1}, &scales_.back()});
  });
}

std::uintmax_t HfWriter::write(const fs::path& path) const {
  write_safetensors(path, tensors_, {{"format", "pt"}});
  return fs::file_size(path);
}

std::string export_dtype_name(ExportWeights weights) {
  return weights == ExportWeights::F16    ? "float16"
         : weights == ExportWeights::BF16 ? "bfloat16"
                                          : "float32";
}

void write_tokenizer(const fs::path& folder,
                     const LoadedRun& run,
                     const std::string& tokenizer_class,
                     ExportResult& result) {
  const auto* subword = dynamic_cast<const SubwordTokenizer*>(run.tokenizer.get());
  const std::string text = subword != nullptr ? subword->hf_json() : run.tokenizer->to_json();
  const bool theirs = json::parse(text).contains("model");
  write_file_atomic(folder / (theirs ? "tokenizer.json" : kOwnTokenizerFile), text + "\n");
  if (!theirs) {
    result.notes.push_back(std::string("transformers do not read this tokenizer: ") +
                           kOwnTokenizerFile + " is for 'bitlab import'");
    return;
  }
  const json config = {{"tokenizer_class", tokenizer_class},
                       {"add_bos_token", !run.begin_tokens.empty()},
                       {"model_max_length", run.spec.seq_len()}};
  write_file_atomic(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace bitlab
