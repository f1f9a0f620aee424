#pragma once
// The files of a transformers folder that are alike for all models.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "experiments/export_model.h"
#include "experiments/loaded_run.h"

namespace bitlab {

// The tensors of a model under transformers' names.
class HfWriter {
 public:
  using NameOf = std::function<std::string(const std::string& ours)>;

  HfWriter(const LanguageModel& model, NameOf name_of)
      : model_(model), name_of_(std::move(name_of)) {}

  // All parameters, rounded to `dtype`; latent weights of ternary matrices if `ternary_too`.
  void add_floats(DType dtype, bool ternary_too);
  // Ternary matrices as floats: each code times its scale.
  void add_ternary_values(DType dtype);
  // The same as 2-bit codes and scales. Throws UsageError if rows are no multiple of 4.
  void add_codes();

  // Returns the size of the file.
  std::uintmax_t write(const std::filesystem::path& path) const;

 private:
  const LanguageModel& model_;
  NameOf name_of_;
  std::deque<std::vector<std::uint8_t>> packed_;  // deques: the tensors point into them
  std::deque<std::vector<float>> values_;
  std::deque<float> scales_;
  std::vector<TensorBytes> tensors_;
};

// The name of export_dtype() in config.json.
std::string export_dtype_name(ExportWeights weights);

// tokenizer.json and tokenizer_config.json where that format can say it; else a file that only
// bitlab reads, which is noted. tokenizer_class: transformers' name of what reads it.
void write_tokenizer(const std::filesystem::path& folder,
                     const LoadedRun& run,
                     const std::string& tokenizer_class,
                     ExportResult& result);

}  // namespace bitlab
