#include "cli/layer_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/base/format_count.h"
#include "layers/models/registry.h"

namespace bitlab {

namespace {

// "blocks.3.attn.wq.weight" -> "blocks.*.attn.wq".
std::string without_number(const std::string& name) {
  std::string stem = name.substr(0, name.size() - std::string(".weight").size());
  if (!stem.starts_with("blocks.")) return stem;
  return "blocks.*" + stem.substr(stem.find('.', 7));
}

struct Kinds {
  std::vector<std::string> ternary, full;  // in the order of the model
  std::size_t ternary_size = 0, size = 0;
};

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// Names as they are where blocks differ in what is ternary.
Kinds kinds_of(const Spec& spec, std::size_t vocab_size) {
  const LayerPtr net = models().at(spec.model_name).build(*spec.model, vocab_size);
  Kinds kinds;
  std::map<std::string, std::set<bool>> seen;
  std::vector<std::pair<std::string, bool>> matrices;
  visit_distinct_params(*net, [&](const std::string& prefix, Param& p) {
    const std::string name = join_name(prefix, p.name);
    kinds.size += p.size();
    if (p.ternary) kinds.ternary_size += p.size();
    if (p.rows == 1 || name.starts_with("embedding.") || !name.ends_with(".weight")) return;
    matrices.emplace_back(name, p.ternary);
    seen[without_number(name)].insert(p.ternary);
  });
  for (const auto& [name, ternary] : matrices) {
    const std::string shared = without_number(name);
    add_once(ternary ? kinds.ternary : kinds.full,
             seen[shared].size() == 1 ? shared : name.substr(0, name.rfind('.')));
  }
  return kinds;
}

}  // namespace

std::string layer_kinds_page(const Experiment& experiment, std::size_t vocab_size) {
  std::vector<std::pair<std::string, std::string>> pages;  // lines, arms
  for (const Arm& arm : experiment.arms) {
    const Kinds kinds = kinds_of(arm.spec, vocab_size);
    if (kinds.ternary.empty()) continue;
    const std::string lines = fmt::format(
        "    ternary  {} ({} of {} parameters, {:.1f} %)\n    full     {}\n",
        fmt::join(kinds.ternary, ", "), format_count(kinds.ternary_size), format_count(kinds.size),
        100.0 * static_cast<double>(kinds.ternary_size) / static_cast<double>(kinds.size),
        kinds.full.empty() ? "no other matrix" : fmt::format("{}", fmt::join(kinds.full, ", ")));
    const auto same = std::find_if(pages.begin(), pages.end(),
                                   [&](const auto& page) { return page.first == lines; });
    if (same == pages.end())
      pages.emplace_back(lines, arm.base);
    else if ((", " + same->second + ",").find(", " + arm.base + ",") == std::string::npos)
      same->second += ", " + arm.base;
  }
  std::string text;
  for (const auto& [lines, arms] : pages) text += "  linear layers of " + arms + ":\n" + lines;
  return text.empty() ? "" : text + "\n";
}

}  // namespace bitlab
