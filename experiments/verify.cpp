#include "experiments/verify.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/thread_team.h"
#include "core/io/safetensors.h"
#include "core/quant/packing.h"
#include "core/quant/weight_quantizer.h"
#include "experiments/dataset.h"
#include "experiments/loaded_run.h"
#include "experiments/packed_model.h"

namespace bitlab {

namespace fs = std::filesystem;

bool Proof::passed() const {
  return loss == packed_loss &&
         std::all_of(layers.begin(), layers.end(), [](const LayerProof& l) { return l.passed(); });
}

namespace {

bool ternary_values(const std::set<real>& values, real scale) {
  return std::all_of(values.begin(), values.end(),
                     [&](real w) { return w == scale || w == 0 || w == -scale; });
}

// The weights that forward multiplies by, quantised anew by the layer's own quantiser.
bool requantises(const TernaryStats& t, std::vector<real>& effective) {
  std::vector<std::int8_t> again(t.size());
  t.quantizer->quantize({effective.data(), t.rows, t.cols}, 0, again.data());
  return std::equal(again.begin(), again.end(), t.codes);
}

bool packs(const TernaryStats& t, const SafetensorsFile& file) {
  const auto packed = pack_ternary(t.codes, t.rows, t.cols);
  const auto unpacked = unpack_ternary(packed, t.rows, t.cols);
  std::vector<std::uint8_t> stored(packed.size());
  file.read(t.name, stored.data(), stored.size());
  return std::equal(unpacked.begin(), unpacked.end(), t.codes) && stored == packed;
}

}  // namespace

Proof verify_run(const fs::path& run_dir, std::size_t threads) {
  const fs::path packed = run_dir / "packed.safetensors";
  if (!fs::exists(packed))
    throw Error(run_dir.string(), "must be a finished run, but has no packed model",
                "finish it with 'bitlab run'");
  const LoadedRun run = load_run(run_dir);
  const SafetensorsFile file(packed);
  Proof proof;
  run.model->visit_ternary([&](const TernaryStats& t) {
    std::vector<real> effective = t.effective();
    const std::set<real> values(effective.begin(), effective.end());
    proof.layers.push_back({t.name, values.size(), static_cast<double>(t.scale),
                            ternary_values(values, static_cast<real>(t.scale)),
                            requantises(t, effective), packs(t, file)});
  });
  if (proof.layers.empty())
    throw UsageError(run_dir.string(),
                     "must be the run of a ternary arm, but its model has no ternary layers");

  const Dataset data = open_dataset(run.spec.data);
  const std::unique_ptr<Task> task = make_task(run.spec, data, run.seed);
  ThreadTeam team(threads);
  proof.loss = task->evaluate(*run.model, Split::Val, team).loss;
  LanguageModel from_packed = build_model(run.spec, run.tokenizer->vocab_size(), run.seed);
  load_packed(packed, from_packed, static_cast<std::uint64_t>(run.step));
  proof.packed_loss = task->evaluate(from_packed, Split::Val, team).loss;
  return proof;
}

}  // namespace bitlab
