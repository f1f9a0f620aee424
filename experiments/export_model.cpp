#include "experiments/export_model.h"

#include <deque>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/safetensors.h"
#include "core/quant/packing.h"
#include "core/text/subword.h"
#include "experiments/hf_config.h"
#include "experiments/hf_names.h"
#include "experiments/loaded_run.h"
#include "layers/bitlinear_config.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const BitnetConfig& family_config(const LoadedRun& run) {
  const auto* config = dynamic_cast<const BitnetConfig*>(run.spec.model.get());
  if (config == nullptr)
    throw UsageError("export", "the model must be of the family 'bitnet', but is '" +
                                   run.spec.model_name + "', which transformers do not have");
  return *config;
}

void check_weights(const LoadedRun& run, const HfForm& form, ExportWeights weights) {
  if (weights == ExportWeights::Packed && !form.ternary)
    throw UsageError("export", "packed weights must be ternary, but the model's are not",
                     "--weights f32 or bf16");
  if (weights != ExportWeights::Packed && run.packed)
    throw UsageError("export",
                     "latent weights must be there to be written, but the run was imported packed",
                     "--weights packed");
  const auto* bitlinear =
      dynamic_cast<const BitLinearConfig*>(family_config(run).linear_settings.get());
  if (bitlinear != nullptr && run.step < bitlinear->lambda_warmup_steps)
    throw UsageError("export", "quantisation must have faded in, but the checkpoint is of step " +
                                   std::to_string(run.step) + " of " +
                                   std::to_string(bitlinear->lambda_warmup_steps));
}

// The tensors of a model in transformers' names.
class HfWriter {
 public:
  HfWriter(const LanguageModel& model, std::string architecture)
      : model_(model), architecture_(std::move(architecture)) {}

  void add_floats(DType dtype, bool ternary_too) {
    for (const Param* p : model_.params().params()) {
      if (p->ternary && !ternary_too) continue;
      const auto shape = p->rows == 1 ? std::vector<std::size_t>{p->cols}
                                      : std::vector<std::size_t>{p->rows, p->cols};
      tensors_.push_back(
          {hf_name(p->name, architecture_), dtype, shape, p->value.data, /*from_floats=*/true});
    }
  }

  void add_codes() {
    model_.visit_ternary([&](const TernaryStats& t) {
      if (t.rows % 4 != 0)
        throw UsageError("export",
                         "rows must be a multiple of 4 to be packed, but " + t.name + " has " +
                             std::to_string(t.rows),
                         "--weights f32");
      const std::string name = hf_name(t.name, architecture_);
      packed_.push_back(pack_ternary(t.codes, t.rows, t.cols));
      scales_.push_back(static_cast<float>(t.scale));
      tensors_.push_back({name, DType::U8, {t.rows / 4, t.cols}, packed_.back().data()});
      tensors_.push_back({name + "_scale", DType::F32, {1}, &scales_.back()});
    });
  }

  std::uintmax_t write(const fs::path& path) const {
    write_safetensors(path, tensors_, {{"format", "pt"}});
    return fs::file_size(path);
  }

 private:
  const LanguageModel& model_;
  std::string architecture_;
  std::deque<std::vector<std::uint8_t>> packed_;
  std::deque<float> scales_;
  std::vector<TensorBytes> tensors_;
};

// tokenizer.json where that format can say it, else a file that only bitlab reads.
void write_tokenizer(const fs::path& folder, const LoadedRun& run, ExportResult& result) {
  const auto* subword = dynamic_cast<const SubwordTokenizer*>(run.tokenizer.get());
  const std::string text = subword != nullptr ? subword->hf_json() : run.tokenizer->to_json();
  const bool theirs = json::parse(text).contains("model");
  write_file_atomic(folder / (theirs ? "tokenizer.json" : kOwnTokenizerFile), text + "\n");
  if (!theirs)
    result.notes.push_back(std::string("transformers do not read this tokenizer: ") +
                           kOwnTokenizerFile + " is for 'bitlab import'");
  const json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                       {"add_bos_token", !run.begin_tokens.empty()},
                       {"model_max_length", run.spec.seq_len()}};
  if (theirs) write_file_atomic(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

void write_generation_config(const fs::path& folder, const LoadedRun& run) {
  json config = json::object();
  if (!run.begin_tokens.empty()) config["bos_token_id"] = run.begin_tokens.front();
  if (!run.end_tokens.empty()) config["eos_token_id"] = run.end_tokens;
  write_file_atomic(folder / "generation_config.json", config.dump(2) + "\n");
}

}  // namespace

ExportResult export_hf(const fs::path& run_dir, const fs::path& folder, ExportWeights weights) {
  if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
    throw UsageError(folder.string(), "must not exist yet, or be an empty folder");
  const LoadedRun run = load_run(run_dir);
  const BitnetConfig& config = family_config(run);
  const HfForm form = hf_form(config);
  check_weights(run, form, weights);

  HfWriter writer(*run.model, form.architecture);
  writer.add_floats(weights == ExportWeights::BF16 ? DType::BF16 : DType::F32,
                    weights != ExportWeights::Packed);
  if (weights == ExportWeights::Packed) writer.add_codes();
  const HfWeights kind = !form.ternary                      ? HfWeights::Full
                         : weights == ExportWeights::Packed ? HfWeights::Multiply
                                                            : HfWeights::Masters;
  ExportResult result{form.architecture, 0, {}};
  result.bytes = writer.write(folder / "model.safetensors");
  write_generation_config(folder, run);
  write_tokenizer(folder, run, result);
  write_file_atomic(folder / "config.json",
                    hf_config_json(config, run.model->vocab_size(), kind,
                                   weights == ExportWeights::BF16 ? "bfloat16" : "float32",
                                   run.begin_tokens, run.end_tokens));
  return result;
}

}  // namespace bitlab
