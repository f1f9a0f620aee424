#include "cli/plan_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/short_number.h"
#include "core/base/process_memory.h"
#include "core/simd/kernels.h"
#include "experiments/provenance.h"
#include "report/format.h"
#include "report/text_table.h"

namespace bitlab {

namespace {

std::string bytes(double n) { return short_number(n, "B"); }
std::string bytes(std::size_t n) { return bytes(static_cast<double>(n)); }

std::string line(const std::string& name, const std::string& value, const std::string& note = "") {
  return fmt::format("  {:<22} {:>15}{}{}\n", name, value, note.empty() ? "" : "   ", note);
}

std::string parameters(const ModelPlan& p) {
  const Footprint& f = p.size;
  const auto share = [&](std::size_t n) {
    return fmt::format("{:5.1f} %", 100 * static_cast<double>(n) / static_cast<double>(f.params));
  };
  const auto part = [&](const std::string& name, std::size_t n) {
    return line("  " + name, format_count(n), share(n));
  };
  std::string page = line("parameters", format_count(f.params));
  page += part("embedding", f.parts.embedding) + part("attention", f.parts.attention) +
          part("feed-forward", f.parts.ffn) + part("norms", f.parts.norms);
  if (f.parts.head)
    page += part("head", f.parts.head);
  else if (!p.encoder)
    page += line("  head", "-", "reads the embedding");
  if (f.parts.other) page += part("other", f.parts.other);
  return page + part("ternary", f.ternary_params) +
         part("full precision", f.params - f.ternary_params) +
         part("without vocabulary", f.parts.non_embedding());
}

std::string activations(const ModelPlan& p) {
  if (!p.activation_bytes_other) return "";
  return fmt::format("{} {} activation checkpointing (model.checkpoint)",
                     bytes(*p.activation_bytes_other), p.recomputed ? "without" : "with");
}

std::string training_memory(const NamedPlan& named) {
  const TrainConfig& t = named.spec->train;
  const ModelPlan& p = named.plan;
  const Footprint& f = p.size;
  std::string page =
      fmt::format("\nmemory of training: micro-batches of {} x {} tokens{}\n", t.batch_size,
                  p.seq_len, t.shards > 1 ? fmt::format(" in {} shards", t.shards) : "");
  page += line("weights", bytes(f.weight_bytes), "32 bits, latent ones of ternary layers as well");
  page += line("gradients", bytes(f.gradient_bytes));
  page += line("optimiser", bytes(f.optimizer_bytes), named.spec->optim.name);
  page += line("prepared weights", bytes(f.buffer_bytes), "ternary codes, in the kernels' layout");
  page += line("activations", bytes(f.activation_bytes), activations(p));
  if (f.teacher_bytes) page += line("teacher", bytes(f.teacher_bytes), "taken to be as large");
  return page + line("together", bytes(f.training_bytes),
                     fmt::format("beside {} of program and data", bytes(resident_bytes())));
}

std::string inference_memory(const ModelPlan& p) {
  std::string page = p.size.ternary_params
                         ? "\nmemory of inference: the ternary part at so many bits a weight, the "
                           "rest at 16\n"
                         : "\nmemory of inference: nothing is ternary, all weights at 16 bits\n";
  for (const InferenceMemory& m : p.inference) {
    if (m.ternary_bits == 16 || p.size.ternary_params)
      page += line(fmt::format("{:g} bits", m.ternary_bits), bytes(m.bytes));
  }
  if (p.encoder) return page;
  return page +
         line("cache of a token", bytes(p.cache_bytes_16),
              fmt::format("keys and values at 16 bits; {} for {} tokens",
                          bytes(p.cache_bytes_16 * static_cast<double>(p.seq_len)), p.seq_len));
}

std::string energy(const ModelPlan& p) {
  std::string page = "\nenergy of a token, estimated for the arithmetic of matrix products alone\n";
  const auto millijoules = [](double joules) { return fmt::format("{:.3g} mJ", 1e3 * joules); };
  for (const TokenEnergy& e : p.energy) {
    if (e.ternary_joules == 0) {
      page += line(e.process, millijoules(e.joules));
      continue;
    }
    page += line(e.process, millijoules(e.joules),
                 fmt::format("{} in full precision, {:.1f} times as much",
                             millijoules(e.joules_full), e.joules_full / e.joules));
    page += line(
        "  ternary layers", millijoules(e.ternary_joules),
        fmt::format("{} in full precision, {:.1f} times as much",
                    millijoules(e.ternary_joules_full), e.ternary_joules_full / e.ternary_joules));
  }
  return page +
         "  y (m x p) = x (m x n) w (n x p): m (n-1) p e_add, and m n p e_mul, or with ternary\n"
         "  weights (m p + m n) e_mul. Those add 8-bit integers; all else, attention over a full\n"
         "  context and the head too, is in 16-bit floats. Memory traffic, which costs more than\n"
         "  arithmetic, is not in it.\n";
}

std::string time(const NamedPlan& named, std::size_t threads) {
  const ModelPlan& p = named.plan;
  const StepTime& s = p.step;
  const auto share = [&](double seconds) { return 100 * seconds / s.total(); };
  const double seconds_optimal = p.optimal_tokens / p.tokens_per_s();
  std::string page = fmt::format(
      "\ntime here: {}, kernels {}, {} thread{}; {} kinds of kernel calls of a step were "
      "timed\n",
      cpu_model(), simd::kernels().name, threads, threads == 1 ? "" : "s", p.timed_calls);
  page += line(
      "a step", format_duration(p.step_seconds()),
      fmt::format("{} tokens, {} tokens/s; {} GFLOP/s in products",
                  static_cast<std::int64_t>(p.size.tokens_per_step), short_number(p.tokens_per_s()),
                  static_cast<std::int64_t>(s.product_flops / s.products / 1e9)));
  page += fmt::format(
      "  {:<22} products {:.0f} %, attention {:.0f} %, norms and the like {:.0f} %, update {:.0f} "
      "%\n",
      "", share(s.products), share(s.attention), share(s.rows + s.layers), share(s.update));
  if (p.teacher_seconds > 0)
    page += line("  of it its teacher", format_duration(p.teacher_seconds));
  if (named.run_seconds > 0)
    page += line("a run", format_duration(named.run_seconds),
                 fmt::format("{} steps, {} tokens, with evaluations", named.spec->train.steps,
                             short_number(p.size.tokens)));
  if (p.encoder) return page;  // the rule is one for decoders that are trained from nothing
  return page + line("compute-optimal", short_number(p.optimal_tokens),
                     fmt::format("tokens, 20 a parameter (arXiv 2203.15556): {}, {}",
                                 short_number(p.optimal_tokens * p.train_flops, "FLOP"),
                                 long_time(seconds_optimal)));
}

}  // namespace

std::string plan_page(const NamedPlan& named, std::size_t threads) {
  const ModelPlan& p = named.plan;
  std::string page =
      fmt::format("{}: {}, {} tokens of context, {} {}\n", named.name, named.spec->model_name,
                  p.seq_len, p.encoder ? "outputs:" : "vocabulary of",
                  format_count(static_cast<std::int64_t>(p.vocab_size)));
  page += parameters(p);
  page += "\nFLOPs of a token: 2 a multiply-add and pass, at the full context\n";
  page += line("forward", short_number(p.forward_flops));
  page += line("training", short_number(p.train_flops),
               p.recomputed ? "and a second forward pass of recomputed blocks" : "");
  return page + training_memory(named) + inference_memory(p) + energy(p) + time(named, threads);
}

std::string plan_table(const std::vector<NamedPlan>& plans, std::size_t slots) {
  TextTable table;
  table.heads = {{"model", true}, {"parameters"}, {"no vocabulary"}, {"ternary"},
                 {"steps"},       {"tokens"},     {"FLOPs"},         {"memory"},
                 {"tokens/s"},    {"a run"},      {"runs"}};
  double seconds = 0, longest = 0;
  std::size_t runs = 0;
  for (const NamedPlan& named : plans) {
    const Footprint& f = named.plan.size;
    table.rows.push_back({named.name, format_count(f.params), format_count(f.parts.non_embedding()),
                          format_count(f.ternary_params), std::to_string(named.spec->train.steps),
                          short_number(f.tokens), short_number(f.train_flops),
                          bytes(f.training_bytes), short_number(named.plan.tokens_per_s()),
                          format_duration(named.run_seconds), std::to_string(named.runs)});
    seconds += named.run_seconds * static_cast<double>(named.runs);
    longest = std::max(longest, named.run_seconds);
    runs += named.runs;
  }
  return plain_text(table) +
         fmt::format("\n{} run{}, about {} with {} at once\n", runs, runs == 1 ? "" : "s",
                     long_time(std::max(longest, seconds / static_cast<double>(slots))), slots);
}

namespace {

using nlohmann::ordered_json;

ordered_json object_of(const NamedPlan& named, std::size_t threads) {
  const ModelPlan& p = named.plan;
  const Footprint& f = p.size;
  const TrainConfig& t = named.spec->train;
  ordered_json inference = ordered_json::array(), energy = ordered_json::array();
  for (const InferenceMemory& m : p.inference)
    inference.push_back({{"ternary_bits", m.ternary_bits}, {"other_bits", 16}, {"bytes", m.bytes}});
  for (const TokenEnergy& e : p.energy)
    energy.push_back({{"process", e.process},
                      {"joules_per_token", e.joules},
                      {"joules_per_token_full_precision", e.joules_full},
                      {"ternary_layers", e.ternary_joules},
                      {"ternary_layers_full_precision", e.ternary_joules_full}});
  ordered_json memory = {{"batch_size", t.batch_size},        {"shards", t.shards},
                         {"weights", f.weight_bytes},         {"gradients", f.gradient_bytes},
                         {"optimizer", f.optimizer_bytes},    {"prepared_weights", f.buffer_bytes},
                         {"activations", f.activation_bytes}, {"teacher", f.teacher_bytes},
                         {"total", f.training_bytes},         {"program", resident_bytes()},
                         {"checkpointing", p.recomputed}};
  if (p.activation_bytes_other) {
    memory["activations_without_checkpointing"] =
        p.recomputed ? *p.activation_bytes_other : f.activation_bytes;
    memory["activations_with_checkpointing"] =
        p.recomputed ? f.activation_bytes : *p.activation_bytes_other;
  }
  const StepTime& s = p.step;
  return {
      {"name", named.name},
      {"model", named.spec->model_name},
      {"seq_len", p.seq_len},
      {"vocab_size", p.vocab_size},
      {"parameters",
       {{"total", f.params},
        {"embedding", f.parts.embedding},
        {"attention", f.parts.attention},
        {"ffn", f.parts.ffn},
        {"norms", f.parts.norms},
        {"head", f.parts.head},
        {"other", f.parts.other},
        {"ternary", f.ternary_params},
        {"full", f.params - f.ternary_params},
        {"non_embedding", f.parts.non_embedding()}}},
      {"flops_per_token",
       {{"forward", p.forward_flops},
        {"training", p.train_flops},
        {"training_products_computed", p.computed_train_flops}}},
      {"training_memory_bytes", memory},
      {"inference_memory", inference},
      {"kv_cache_bytes_per_token_16_bit", p.cache_bytes_16},
      {"energy",
       {{"formula",
         "y (m x p) = x (m x n) w (n x p): m (n-1) p e_add + m n p e_mul; ternary: m (n-1) p "
         "e_add + (m p + m n) e_mul"},
        {"caveat", "arithmetic of matrix products alone, without memory traffic; estimated"},
        {"per_process", energy}}},
      {"compute_optimal_tokens", p.optimal_tokens},
      {"time",
       {{"cpu", cpu_model()},
        {"kernels", simd::kernels().name},
        {"threads", threads},
        {"measured", fmt::format("{} kinds of kernel calls of one training step", p.timed_calls)},
        {"seconds_per_step", p.step_seconds()},
        {"seconds_per_step_teacher", p.teacher_seconds},
        {"tokens_per_step", f.tokens_per_step},
        {"tokens_per_s", p.tokens_per_s()},
        {"seconds_per_step_by_part",
         {{"products", s.products},
          {"attention", s.attention},
          {"rows", s.rows},
          {"layers", s.layers},
          {"update", s.update}}},
        {"steps", t.steps},
        {"runs", named.runs},
        {"seconds_per_run", named.run_seconds},
        {"seconds_compute_optimal", p.optimal_tokens / p.tokens_per_s()}}}};
}

}  // namespace

std::string plan_json(const std::string& experiment,
                      const std::vector<NamedPlan>& plans,
                      std::size_t threads) {
  if (experiment.empty()) return object_of(plans.front(), threads).dump(2) + "\n";
  ordered_json all = ordered_json::array();
  for (const NamedPlan& plan : plans) all.push_back(object_of(plan, threads));
  return ordered_json{{"experiment", experiment}, {"arms", all}}.dump(2) + "\n";
}

}  // namespace bitlab
