#include "experiments/export_run.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/subword.h"
#include "experiments/checkpoint.h"
#include "experiments/loaded_run.h"
#include "experiments/packed_model.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

bool packs(ExportWeights weights) {
  return weights == ExportWeights::Packed || weights == ExportWeights::PackedF16;
}

void check(const LoadedRun& run, ExportWeights weights) {
  if (packs(weights) && run.model->params().ternary_size() == 0)
    throw UsageError("export", "packed weights must be ternary, but the model's are not",
                     "--weights f32 or f16");
  if (!packs(weights) && run.packed)
    throw UsageError("export",
                     "latent weights must be there to be written, but the run has codes alone",
                     "--weights packed");
  if (packs(weights)) require_faded_in(run);
}

// That of the checkpoint, with the whole tokenizer where it has the name of one: whoever gets the
// folder needs nothing else.
void write_config(const LoadedRun& run, const fs::path& path) {
  auto config = nlohmann::json::parse(read_file(run.checkpoint / "config.json"));
  if (const auto* subword = dynamic_cast<const SubwordTokenizer*>(run.tokenizer.get()))
    config["tokenizer"] = nlohmann::json::parse(subword->whole_json());
  write_file_atomic(path, config.dump() + "\n");
}

void write_weights(const fs::path& path, const LanguageModel& model, ExportWeights weights) {
  const DType dtype = export_dtype(weights);
  if (packs(weights))
    write_packed(path, model, dtype);
  else
    write_safetensors(path, model_tensors(model, dtype), {{"format", "bitlab"}});
}

}  // namespace

std::uintmax_t export_run(const fs::path& run_dir, const fs::path& folder, ExportWeights weights) {
  require_new_folder(folder);
  if (!RunFolder(run_dir).done())
    throw UsageError(run_dir.string(), "must be a finished run", "finish it with 'bitlab run'");
  const LoadedRun run = load_run(run_dir);
  check(run, weights);
  std::uintmax_t bytes = 0;
  make_folder_atomic(folder, [&](const fs::path& made) {
    for (const char* name : {"config.toml", "provenance.json", "git.diff", "metrics.h5", "log.txt"})
      if (fs::exists(run_dir / name)) fs::copy_file(run_dir / name, made / name);
    const fs::path checkpoint = made / "ckpt" / run.checkpoint.filename();
    fs::create_directories(checkpoint);
    write_config(run, checkpoint / "config.json");
    fs::copy_file(run.checkpoint / "trainer.json", checkpoint / "trainer.json");
    const fs::path file = checkpoint / "model.safetensors";
    write_weights(file, *run.model, weights);
    bytes = fs::file_size(file);
    if (packs(weights)) link_or_copy(file, made / "packed.safetensors");
    write_file_atomic(checkpoint / "DONE", "");
    const RunFolder copy(made);
    RunStatus status = RunFolder(run_dir).status();
    status.bytes_full = static_cast<std::int64_t>(bytes);
    status.bytes_packed = packs(weights) ? status.bytes_full : 0;
    copy.set_status(status);
    copy.mark_done();
  });
  return bytes;
}

}  // namespace bitlab
