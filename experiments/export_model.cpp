#include "experiments/export_model.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/export_encoder.h"
#include "experiments/hf_config.h"
#include "experiments/hf_names.h"
#include "experiments/hf_writer.h"
#include "layers/models/bert.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const BitnetConfig& family_config(const LoadedRun& run) {
  const auto* config = dynamic_cast<const BitnetConfig*>(run.spec.model.get());
  if (config == nullptr)
    throw UsageError("export", "the model must be of the family 'bitnet' or 'bert', but is '" +
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
  require_faded_in(run);
}

void write_generation_config(const fs::path& folder, const LoadedRun& run) {
  json config = json::object();
  if (!run.begin_tokens.empty()) config["bos_token_id"] = run.begin_tokens.front();
  if (!run.end_tokens.empty()) config["eos_token_id"] = run.end_tokens;
  write_file_atomic(folder / "generation_config.json", config.dump(2) + "\n");
}

ExportResult export_decoder(const LoadedRun& run, const fs::path& folder, ExportWeights weights) {
  const BitnetConfig& config = family_config(run);
  const HfForm form = hf_form(config);
  check_weights(run, form, weights);

  HfWriter writer(*run.model,
                  [&](const std::string& ours) { return hf_name(ours, form.architecture); });
  writer.add_floats(export_dtype(weights), weights != ExportWeights::Packed);
  if (weights == ExportWeights::Packed) writer.add_codes();
  const HfWeights kind = !form.ternary                      ? HfWeights::Full
                         : weights == ExportWeights::Packed ? HfWeights::Multiply
                                                            : HfWeights::Masters;
  ExportResult result{form.architecture, 0, {}};
  result.bytes = writer.write(folder / "model.safetensors");
  write_generation_config(folder, run);
  write_tokenizer(folder, run, "PreTrainedTokenizerFast", result);
  write_file_atomic(folder / "config.json",
                    hf_config_json(config, run.model->vocab_size(), kind,
                                   export_dtype_name(weights), run.begin_tokens, run.end_tokens));
  return result;
}

}  // namespace

DType export_dtype(ExportWeights weights) {
  switch (weights) {
    case ExportWeights::F16:
    case ExportWeights::PackedF16:
      return DType::F16;
    case ExportWeights::BF16:
      return DType::BF16;
    case ExportWeights::F32:
    case ExportWeights::Packed:
      break;
  }
  return DType::F32;
}

ExportResult export_hf(const fs::path& run_dir, const fs::path& folder, ExportWeights weights) {
  if (weights == ExportWeights::PackedF16)
    throw UsageError("export", "--weights of hf must be f32, f16, bf16 or packed",
                     "--format run has packed-f16");
  require_new_folder(folder);
  const LoadedRun run = load_run(run_dir);
  ExportResult result;
  make_folder_atomic(folder, [&](const fs::path& made) {
    const auto* encoder = dynamic_cast<const BertConfig*>(run.spec.model.get());
    result = encoder != nullptr ? export_encoder(run, *encoder, made, weights)
                                : export_decoder(run, made, weights);
  });
  return result;
}

}  // namespace bitlab
