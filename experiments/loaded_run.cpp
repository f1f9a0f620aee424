#include "experiments/loaded_run.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/process_memory.h"
#include "core/base/sha256.h"
#include "core/io/json_nesting.h"
#include "experiments/checkpoint.h"
#include "experiments/dataset.h"
#include "experiments/packed_model.h"
#include "experiments/plan.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

fs::path newest_checkpoint(const fs::path& run_dir) {
  const auto checkpoints = list_checkpoints(run_dir);
  if (checkpoints.empty())
    throw Error(run_dir.string(), "must hold a checkpoint, but holds none",
                "a run writes the first one after train.checkpoint_every steps");
  return checkpoints.back();
}

}  // namespace

std::string weights_sha256(const fs::path& run_dir) {
  return sha256_file(newest_checkpoint(run_dir) / "model.safetensors");
}

LoadedRun load_run(const fs::path& run_dir, LoadWeights weights, Tables tables) {
  LoadedRun run;
  run.checkpoint = newest_checkpoint(run_dir);
  run.spec = load_run_spec(run_dir / "config.toml");
  try {
    const fs::path described = run.checkpoint / "config.json";
    const json config = json::parse(shallow_json(read_file(described), described.string()));
    run.tokenizer = tokenizer_from_json(config.at("tokenizer").dump());
    run.seed = config.at("seed");
    run.imported = config.value("imported", "");
    run.data_sha256 = config.value("data_sha256", "");
    run.begin_tokens = config.value("begin_tokens", std::vector<std::int32_t>());
    run.end_tokens = config.value("end_tokens", std::vector<std::int32_t>());
    run.labels = config.value("labels", std::vector<std::string>());
    run.step = json::parse(read_file(run.checkpoint / "trainer.json")).at("step");
  } catch (const json::exception& e) {
    throw Error(run.checkpoint.string(),
                std::string("must be a checkpoint of bitlab, but: ") + e.what());
  }
  give_back_free_memory();  // of parsing a tokenizer, which took several times its size
  run.model.reset(new LanguageModel(build_empty_model(run.spec, run.tokenizer->vocab_size())));
  run.weights = weights == LoadWeights::Packed ? run_dir / "packed.safetensors"
                                               : run.checkpoint / "model.safetensors";
  if (weights == LoadWeights::Packed && !fs::exists(run.weights))
    throw UsageError(run_dir.string(), "must hold packed weights, but holds none",
                     "a run writes them when it is done; without --packed the checkpoint is used");
  const auto step = static_cast<std::uint64_t>(run.step);
  run.packed = is_packed(SafetensorsFile(run.weights));
  if (run.packed) {
    load_packed(run.weights, *run.model, step, tables);
  } else {
    load_model(run.checkpoint, *run.model, tables);
    run.model->prepare(step);
  }
  return run;
}

void require_faded_in(const LoadedRun& run) {
  const std::uint64_t settled = run.model->settled_at();
  if (static_cast<std::uint64_t>(run.step) < settled)
    throw UsageError("export", "quantisation must have faded in, but the checkpoint is of step " +
                                   std::to_string(run.step) + " of " + std::to_string(settled));
}

void require_language_model(const LoadedRun& run, const std::string& verb) {
  if (models().at(run.spec.model_name).whole_texts)
    throw UsageError(verb,
                     "the run's model must predict the next token, but '" + run.spec.model_name +
                         "' reads whole texts",
                     run.spec.task.name == "masked-lm"
                         ? "what it loses on masked tokens is in its report"
                         : "bitlab classify is for such models");
}

}  // namespace bitlab
