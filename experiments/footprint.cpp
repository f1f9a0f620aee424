#include "experiments/footprint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "experiments/classification_task.h"
#include "experiments/text_batches.h"
#include "experiments/train_step.h"
#include "layers/models/bert.h"
#include "layers/param_count.h"

namespace bitlab {

namespace {

std::size_t ParamParts::*part_of(const std::string& name) {
  if (name.find("norm") != std::string::npos) return &ParamParts::norms;
  if (name.starts_with("embedding.")) return &ParamParts::embedding;
  if (name.starts_with("head.")) return &ParamParts::head;
  if (name.find(".attn.") != std::string::npos) return &ParamParts::attention;
  if (name.find(".ffn.") != std::string::npos) return &ParamParts::ffn;
  return &ParamParts::other;
}

// Of one shard's texts, `rows` tokens together, the longest of `length`: what the passes of a
// teacher as large as the model keep until they end, and what it tells of the texts.
std::size_t teacher_pass_bytes(
    const Spec& spec, Layer& net, std::size_t logits_width, std::size_t rows, std::size_t length) {
  const std::size_t at_once = std::min(rows, kTokensPerPass) / length;
  const Rehearsal pass =
      rehearse(net, logits_width, std::max<std::size_t>(1, at_once), length, Passes::Forward);
  std::size_t told = 0;  // reals a token
  if (const auto* bert = dynamic_cast<const BertConfig*>(spec.model.get())) {
    const TeacherStates states = distilled(spec.task)->states();
    const auto width = static_cast<std::size_t>(bert->d_model);
    if (states.attention) told += 3 * width;
    if (states.blocks) told += width * static_cast<std::size_t>(bert->n_layer);
  }
  return pass.peak_bytes() + rows * told * sizeof(real);
}

// The kinds of steps of a run, each with a step of it; without their passes.
struct KindOfStep {
  double share = 1;
  std::uint64_t step = 0;
};

double fading_share(std::uint64_t settled, std::int64_t steps) {
  if (settled <= 1) return 0;
  const auto all = static_cast<double>(std::max<std::int64_t>(steps, 1));
  return std::min(1.0, static_cast<double>(settled) / all);
}

std::vector<KindOfStep> kinds_of_steps(Layer& net, std::int64_t steps) {
  const std::uint64_t settled = settled_at(net);
  const double share = fading_share(settled, steps);
  if (share == 0) return {{1, settled}};
  if (share == 1) return {{1, 1}};
  return {{share, 1}, {1 - share, settled}};
}

}  // namespace

ParamParts count_parts(Layer& net) {
  ParamParts parts;
  visit_distinct_params(net, [&](const std::string& prefix, Param& p) {
    parts.*part_of(join_name(prefix, p.name)) += p.size();
  });
  return parts;
}

double fading_share(const Spec& spec, std::size_t vocab_size) {
  const LayerPtr net = models().at(spec.model_name).build(*spec.model, vocab_size);
  return fading_share(settled_at(*net), spec.train.steps);
}

Footprint footprint(const Spec& spec,
                    std::size_t vocab_size,
                    const TextLengths& lengths,
                    std::vector<StepKind>* kinds) {
  const ModelPlugin& plugin = models().at(spec.model_name);
  const LayerPtr net = plugin.build(*spec.model, vocab_size);
  const TrainConfig& train = spec.train;
  const ParamCount count = count_params(*net);
  Footprint f;
  f.params = count.total;
  f.ternary_params = count.ternary;
  f.parts = count_parts(*net);
  f.bytes_full = 4 * f.params;
  f.bytes_packed = 4 * (f.params - f.ternary_params) + (f.ternary_params + 3) / 4;
  f.tokens_per_step = static_cast<double>(train.batch_size * train.accumulate) *
                      lengths.of_sequence(spec.seq_len());
  f.tokens = f.tokens_per_step * static_cast<double>(train.steps);
  const auto typical = static_cast<std::size_t>(std::llround(lengths.of_sequence(spec.seq_len())));
  const auto largest =
      static_cast<std::size_t>(std::ceil(lengths.in_largest_pass(train, spec.seq_len())));
  f.train_flops = f.tokens * 6 * net->macs_per_row(typical);

  const std::size_t logits = plugin.logits_width(*spec.model, vocab_size);
  const auto texts = static_cast<std::size_t>(train.batch_size / train.shards);  // of a shard
  std::size_t shard_bytes = 0;
  for (const KindOfStep& kind : kinds_of_steps(*net, train.steps)) {
    net->visit_leaves([&](Layer& leaf) { leaf.set_step(kind.step); });
    Rehearsal shard = rehearse(*net, logits, texts, largest);
    shard_bytes = std::max(shard_bytes, shard.peak_bytes());
    if (kinds == nullptr) continue;
    if (typical != largest) shard = rehearse(*net, logits, texts, typical);
    kinds->push_back({kind.share, std::move(shard)});
  }
  f.weight_bytes = sizeof(real) * f.params;
  f.gradient_bytes = f.weight_bytes * gradient_buffers(train);
  f.optimizer_bytes = f.weight_bytes * optimizers().at(spec.optim.name).state_per_param;
  net->visit_leaves([&](Layer& leaf) { f.buffer_bytes += leaf.buffer_bytes(); });
  f.activation_bytes = static_cast<std::size_t>(train.shards) * shard_bytes;
  if (distilled(spec.task) != nullptr)
    f.teacher_bytes =
        f.weight_bytes + static_cast<std::size_t>(train.shards) *
                             teacher_pass_bytes(spec, *net, logits, texts * largest, largest);
  f.training_bytes = f.weight_bytes + f.gradient_bytes + f.optimizer_bytes + f.buffer_bytes +
                     f.activation_bytes + f.teacher_bytes;
  return f;
}

}  // namespace bitlab
