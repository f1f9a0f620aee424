#include "layers/replacement.h"

#include <algorithm>

#include "core/base/error.h"

namespace bitlab {

namespace {

bool whole_matches(std::string_view name, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t end = star; end <= name.size(); ++end)
    if (whole_matches(name.substr(end), rest)) return true;
  return false;
}

bool any_matches(const std::string& name, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return name_matches(name, pattern); });
}

}  // namespace

bool name_matches(const std::string& name, const std::string& pattern) {
  if (whole_matches(name, pattern)) return true;
  for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    if (whole_matches(std::string_view(name).substr(dot + 1), pattern)) return true;
  return false;
}

void ReplacementConfig::fields(FieldVisitor& v) {
  v.field("include", include, {.help = "linear layers to replace, by name; * for any characters"});
  v.field("exclude", exclude, {.help = "those to leave as they are all the same"});
}

bool ReplacementConfig::replaces(const std::string& name) const {
  return any_matches(name, include) && !any_matches(name, exclude);
}

void ReplacementConfig::check(const std::vector<std::string>& names) const {
  for (const auto* patterns : {&include, &exclude})
    for (const std::string& pattern : *patterns) {
      if (std::any_of(names.begin(), names.end(),
                      [&](const std::string& name) { return name_matches(name, pattern); }))
        continue;
      std::string list;
      for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
      throw UsageError("model.ternary",
                       "must match linear layers of the model, but '" + pattern + "' matches none",
                       "they are " + list);
    }
}

}  // namespace bitlab
