#include "report/sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "report/format.h"

namespace bitlab {

namespace {

constexpr std::array<const char*, 4> kForms = {"f32", "f16", "packed", "packed-f16"};

using Sizes = std::array<std::optional<double>, kForms.size()>;  // bytes, form by form

std::vector<const JudgedRun*> one_of_each_arm(const std::vector<JudgedRun>& all) {
  std::vector<const JudgedRun*> chosen;
  for (const JudgedRun& run : all) {
    if (run.run->bytes_full == 0) continue;
    if (chosen.empty() || chosen.back()->arm != run.arm)
      chosen.push_back(&run);
    else if (chosen.back()->run->loaded.empty() && !run.run->loaded.empty())
      chosen.back() = &run;
  }
  return chosen;
}

Sizes measured(const SeedResult& run, std::int64_t LoadedForm::*what) {
  Sizes sizes;
  for (const LoadedForm& form : run.loaded)
    for (std::size_t i = 0; i < kForms.size(); ++i)
      if (form.weights == kForms[i]) sizes[i] = static_cast<double>(form.*what);
  return sizes;
}

// Files as they lie on disk; what rounding makes of them is counted, where it was not measured: two
// bytes for four.
Sizes file_sizes(const JudgedRun& run) {
  Sizes sizes = measured(*run.run, &LoadedForm::file_bytes);
  const auto params = static_cast<double>(run.arm->params);
  const auto ternary = static_cast<double>(run.arm->ternary_params);
  const auto full = static_cast<double>(run.run->bytes_full);
  const auto packed = static_cast<double>(run.run->bytes_packed);
  const Sizes counted = {full, full - 2 * params, packed, packed - 2 * (params - ternary)};
  const std::size_t forms = ternary > 0 ? kForms.size() : 2;
  for (std::size_t i = 0; i < forms; ++i)
    if (!sizes[i]) sizes[i] = counted[i];
  return sizes;
}

// "50.5 MB, 1.80x": bytes, and how many times smaller than in fp32.
std::string cell(const std::optional<double>& bytes, const std::optional<double>& all) {
  if (!bytes) return "–";
  const std::string size = format_bytes(std::llround(*bytes));
  return all && bytes != all ? fmt::format("{}, {:.2f}x", size, *all / *bytes) : size;
}

TextTable empty_table() {
  TextTable table;
  table.heads = {{"arm", true}, {"parameters"},        {"ternary"},          {"fp32"},
                 {"fp16"},      {"2 bits, else fp32"}, {"2 bits, else fp16"}};
  return table;
}

void add_row(TextTable& table, const JudgedRun& run, const Sizes& sizes) {
  const ArmResult& arm = *run.arm;
  const auto share = static_cast<double>(arm.ternary_params) /
                     static_cast<double>(std::max<std::int64_t>(arm.params, 1));
  std::vector<std::string> row = {arm.name, format_count(arm.params),
                                  fmt::format("{:.1f} %", 100 * share)};
  for (const std::optional<double>& bytes : sizes) row.push_back(cell(bytes, sizes[0]));
  table.rows.push_back(std::move(row));
}

}  // namespace

std::vector<ClassificationTable> size_tables(const std::vector<JudgedRun>& all) {
  TextTable files = empty_table(), memory = empty_table();
  for (const JudgedRun* run : one_of_each_arm(all)) {
    add_row(files, *run, file_sizes(*run));
    if (!run->run->loaded.empty())
      add_row(memory, *run, measured(*run->run, &LoadedForm::resident_bytes));
  }
  std::vector<ClassificationTable> tables = {
      {"sizes", "Sizes",
       "Bytes of the weights' file on disk, and how many times smaller than in fp32; what rounding "
       "to fp16 makes of it is counted where 'bitlab bench load' did not measure it.",
       files}};
  if (!memory.rows.empty())
    tables.push_back({"memory", "Memory",
                      "What loading these weights adds to a process, tokenizer included, as "
                      "'bitlab bench load' measured it. Embeddings stay in 16 bits where the file "
                      "has them so; other matrices of fp16 become fp32.",
                      memory});
  return tables;
}

}  // namespace bitlab
