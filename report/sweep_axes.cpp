#include "report/sweep_axes.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/config/suggest.h"
#include "report/plot_axis.h"

namespace bitlab {

namespace {

bool same_value(const SweptValue& a, const SweptValue& b) {
  return a.number && b.number ? *a.number == *b.number : a.text == b.text;
}

const SweptValue* value_at(const ArmResult& arm, const std::string& path) {
  const auto found = std::find_if(arm.axes.begin(), arm.axes.end(),
                                  [&](const SweptValue& value) { return value.path == path; });
  return found == arm.axes.end() ? nullptr : &*found;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

// Of each group of axes that move together all but the one that stands for them.
void drop_followers(const Results& results,
                    const std::vector<std::string>& named,
                    std::vector<SweepAxis>& axes) {
  const auto is_named = [&](const std::string& path) {
    return std::any_of(named.begin(), named.end(), [&](const std::string& name) {
      return name == path || name == last_part(path);
    });
  };
  for (const std::vector<std::string>& group : results.zipped) {
    const SweepAxis* best = nullptr;
    for (const SweepAxis& axis : axes) {
      if (std::count(group.begin(), group.end(), axis.path) == 0) continue;
      const bool better = best != nullptr && is_named(axis.path) == is_named(best->path)
                              ? axis.values.size() > best->values.size()
                              : best == nullptr || is_named(axis.path);
      if (better) best = &axis;
    }
    if (best == nullptr) continue;
    const std::string kept = best->path;
    std::erase_if(axes, [&](const SweepAxis& axis) {
      return axis.path != kept && std::count(group.begin(), group.end(), axis.path) > 0;
    });
  }
}

}  // namespace

bool SweepAxis::log() const {
  return numeric && *values.front().number > 0 &&
         *values.back().number >= 8 * *values.front().number;
}

std::size_t SweepAxis::index(const ArmResult& arm) const {
  const SweptValue* value = value_at(arm, path);
  if (value == nullptr) return values.size();
  return static_cast<std::size_t>(
      std::find_if(values.begin(), values.end(),
                   [&](const SweptValue& other) { return same_value(*value, other); }) -
      values.begin());
}

std::vector<SweepAxis> sweep_axes(const Results& results, const std::vector<std::string>& named) {
  std::vector<SweepAxis> axes;
  for (const ArmResult& arm : results.arms)
    for (const SweptValue& value : arm.axes) {
      auto axis = std::find_if(axes.begin(), axes.end(),
                               [&](const SweepAxis& known) { return known.path == value.path; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), {value.path, "", true, {}});
      axis->numeric &= value.number.has_value();
      const bool known = std::any_of(axis->values.begin(), axis->values.end(),
                                     [&](const SweptValue& v) { return same_value(v, value); });
      if (!known) axis->values.push_back(value);
    }
  std::erase_if(axes, [](const SweepAxis& axis) { return axis.values.size() < 2; });
  drop_followers(results, named, axes);
  for (SweepAxis& axis : axes) {
    if (axis.numeric)
      std::sort(axis.values.begin(), axis.values.end(),
                [](const SweptValue& a, const SweptValue& b) { return *a.number < *b.number; });
    const auto namesakes = std::count_if(axes.begin(), axes.end(), [&](const SweepAxis& other) {
      return last_part(other.path) == last_part(axis.path);
    });
    axis.name = namesakes == 1 ? last_part(axis.path) : axis.path;
  }
  return axes;
}

const SweepAxis& find_axis(const std::vector<SweepAxis>& axes, const std::string& name) {
  std::vector<std::string> names;
  std::string list;
  for (const SweepAxis& axis : axes) {
    if (axis.path == name || axis.name == name) return axis;
    names.insert(names.end(), {axis.path, axis.name});
    list += (list.empty() ? "" : ", ") + axis.path;
  }
  const std::string guess = nearest(name, names);
  throw UsageError("plot",
                   "a setting that the experiment sweeps must be named, but got '" + name + "'",
                   list.empty()     ? "it sweeps none"
                   : !guess.empty() ? "did you mean '" + guess + "'?"
                                    : "it sweeps " + list);
}

bool same_point(const ArmResult& a, const ArmResult& b) {
  return std::equal(a.axes.begin(), a.axes.end(), b.axes.begin(), b.axes.end(),
                    [](const SweptValue& x, const SweptValue& y) {
                      return x.path == y.path && x.text == y.text;
                    });
}

std::string base_of(const ArmResult& arm) { return arm.base.empty() ? arm.name : arm.base; }

std::vector<std::string> base_arms(const Results& results) {
  std::vector<std::string> names;
  for (const ArmResult& arm : results.arms)
    if (std::find(names.begin(), names.end(), base_of(arm)) == names.end())
      names.push_back(base_of(arm));
  return names;
}

std::string value_text(const std::string& value) {
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [last, error] = std::from_chars(value.data(), end, number);
  return error == std::errc() && last == end ? short_number(number) : value;
}

bool fills_grid(const Results& results, const SweepAxis& a, const SweepAxis& b) {
  std::set<std::pair<std::size_t, std::size_t>> points;
  for (const ArmResult& arm : results.arms) points.insert({a.index(arm), b.index(arm)});
  return 2 * points.size() >= a.values.size() * b.values.size();
}

}  // namespace bitlab
