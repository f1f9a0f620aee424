#include "cli/run_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/short_number.h"
#include "cli/sweep_text.h"
#include "report/format.h"

namespace bitlab {

namespace {

std::string seeds_text(const std::vector<std::int64_t>& seeds) {
  std::string text;
  for (const std::int64_t seed : seeds) text += (text.empty() ? "" : ", ") + std::to_string(seed);
  return text;
}

struct Row {
  std::string name;
  const PlannedArm* arm;
  const Footprint* footprint;
};

bool same_size(const Footprint& a, const Footprint& b) {
  return a.params == b.params && a.ternary_params == b.ternary_params && a.tokens == b.tokens &&
         a.tokens_per_step == b.tokens_per_step && a.train_flops == b.train_flops &&
         a.training_bytes == b.training_bytes;
}

// One an arm; the points of a sweep that are next to each other and of one size share one.
std::vector<Row> rows_of(const Plan& plan, const std::vector<Footprint>& footprints) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < plan.arms.size();) {
    const PlannedArm& arm = plan.arms[i];
    const Footprint& f = footprints.at(i);
    std::size_t points = 0;
    for (; i < plan.arms.size() && plan.arms[i].base == arm.base && same_size(f, footprints.at(i));
         ++i)
      ++points;
    rows.push_back(
        {points == 1 ? arm.name : fmt::format("{} ({} points)", arm.base, points), &arm, &f});
  }
  return rows;
}

}  // namespace

std::string run_page(const Plan& plan,
                     const std::vector<Footprint>& footprints,
                     std::size_t threads) {
  const DataFacts& d = plan.data;
  std::string page = plan.experiment + (plan.title.empty() ? "" : ": " + plan.title) + "\n";
  if (!plan.question.empty()) page += "  " + plan.question + "\n";
  page += fmt::format("  results  {}\n", plan.results.string());
  page += fmt::format("  data     {}, {} bytes, sha256 {}\n", d.source, format_count(d.bytes),
                      d.sha256);
  page +=
      fmt::format("           {} {}s to train on, {} to validate, {} different\n",
                  format_count(d.train_tokens), d.unit, format_count(d.val_tokens), d.vocab_size);
  page += fmt::format("  seeds    {}\n", seeds_text(plan.seeds));

  if (const std::string sweep = sweep_text_of(plan.arms); !sweep.empty())
    page += fmt::format("  sweep    {}: {} runs\n", sweep, plan.runs().size());

  const std::vector<Row> rows = rows_of(plan, footprints);
  std::size_t width = 3;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  page += fmt::format(
      "\n  {:<{}}  {:>12}  {:>12}  {:>12}  {:>8}  {:>8}  {:>7}  {:>11}  {:>8}  {:>10}  {:>8}\n",
      "arm", width, "parameters", "ternary", "full", "bytes", "packed", "steps", "tokens/step",
      "tokens", "FLOPs", "memory");
  for (const Row& row : rows) {
    const Footprint& f = *row.footprint;
    page += fmt::format(
        "  {:<{}}  {:>12}  {:>12}  {:>12}  {:>8}  {:>8}  {:>7}  {:>11}  {:>8}  {:>10}  {:>8}\n",
        row.name, width, format_count(f.params), format_count(f.ternary_params),
        format_count(f.params - f.ternary_params),
        short_number(static_cast<double>(f.bytes_full), "B"),
        short_number(static_cast<double>(f.bytes_packed), "B"), row.arm->steps,
        format_count(row.arm->tokens_per_step), short_number(f.tokens), short_number(f.train_flops),
        short_number(static_cast<double>(f.training_bytes), "B"));
  }
  page +=
      fmt::format("  (FLOPs and memory are of one run, memory is estimated; {} thread{} a run)\n\n",
                  threads, threads == 1 ? "" : "s");
  return page;
}

}  // namespace bitlab
