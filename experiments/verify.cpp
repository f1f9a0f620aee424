#include "experiments/verify.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/thread_team.h"
#include "core/io/safetensors.h"
#include "core/quant/packing.h"
#include "core/quant/weight_quantizer.h"
#include "experiments/dataset.h"
#include "experiments/loaded_run.h"
#include "experiments/packed_model.h"
#include "experiments/run_folder.h"

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

constexpr std::size_t kRandomSequences = 8, kRandomLength = 128;

// The loss of a model of this run as training measures it, or on random tokens if it was imported.
std::function<double(const LanguageModel&)> judge_of(const LoadedRun& run, ThreadTeam& team) {
  if (run.imported.empty()) {
    const auto data = std::make_shared<const Dataset>(open_dataset(run.spec.data));
    const std::shared_ptr<const Task> task = make_task(run.spec, *data, run.seed);
    return [data, task, &team](const LanguageModel& model) {
      return task->evaluate(model, Split::Val, team).loss;
    };
  }
  const std::size_t length = std::min(run.spec.seq_len(), kRandomLength);
  const auto vocab = static_cast<std::uint64_t>(run.tokenizer->vocab_size());
  const auto fill = [length, vocab, rng = Rng(1, "verify")](std::size_t first, std::size_t count,
                                                            std::int32_t* tokens,
                                                            std::int32_t* targets) {
    for (std::size_t row = first; row < first + count; ++row)
      for (std::size_t t = 0; t < length; ++t) {
        *tokens++ = static_cast<std::int32_t>(rng.below(vocab, row, t));
        *targets++ = static_cast<std::int32_t>(rng.below(vocab, row, t + 1));
      }
  };
  return [fill, length, &team](const LanguageModel& model) {
    return evaluate_sequences(model, fill, kRandomSequences, length, team).loss;
  };
}

}  // namespace

Proof verify_run(const fs::path& run_dir, std::size_t threads) {
  const fs::path packed = run_dir / "packed.safetensors";
  const LoadedRun run = load_run(run_dir);
  if (run.model->params().ternary_size() == 0)
    throw UsageError(run_dir.string(), "must hold a ternary model, but it is not ternary");
  if (!fs::exists(packed))
    throw UsageError(run_dir.string(), "must hold packed weights to compare with, but holds none",
                     RunFolder(run_dir).done()
                         ? "it was exported without; --weights packed has them"
                         : "finish it with 'bitlab run'");
  const SafetensorsFile file(packed);
  Proof proof;
  run.model->visit_ternary([&](const TernaryStats& t) {
    std::vector<real> effective = t.effective();
    const std::set<real> values(effective.begin(), effective.end());
    proof.layers.push_back({t.name, values.size(), static_cast<double>(t.scale),
                            ternary_values(values, static_cast<real>(t.scale)),
                            requantises(t, effective), packs(t, file)});
  });
  ThreadTeam team(threads);
  const auto judge = judge_of(run, team);
  proof.random_tokens = !run.imported.empty();
  proof.loss = judge(*run.model);
  LanguageModel from_packed = build_empty_model(run.spec, run.tokenizer->vocab_size());
  load_packed(packed, from_packed, static_cast<std::uint64_t>(run.step));
  proof.packed_loss = judge(from_packed);
  return proof;
}

}  // namespace bitlab
