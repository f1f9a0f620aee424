// Runs of a sweep that are left out.
#include <algorithm>
#include <optional>
#include <sstream>

#include "experiments/sweep.h"

namespace bitlab {

namespace {

constexpr const char* kExample = "write exclude = [\"model.d_model=112 seed=2..3\"]";

bool same(const Value& a, const Value& b) {
  const auto is_number = [](const Value& v) {
    return v.kind == Value::Kind::Integer || v.kind == Value::Kind::Float;
  };
  if (is_number(a) && is_number(b)) return a.number == b.number;
  if (a.kind != b.kind) return false;
  return a.kind == Value::Kind::Boolean ? a.boolean == b.boolean : a.text == b.text;
}

bool among(const Value& value, const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(), [&](const Value& v) { return same(v, value); });
}

class ExclusionReader {
 public:
  ExclusionReader(const std::vector<Axis>& axes,
                  const std::vector<std::string>& arms,
                  Problems& problems)
      : axes_(axes), arms_(arms), problems_(problems) {}

  void add(const Value& text, std::vector<Exclusion>& all) {
    if (text.kind != Value::Kind::String) return wrong(text.place);
    Exclusion exclusion;
    std::istringstream words(text.text);
    for (std::string word; words >> word;)
      if (!add_word(word, text, exclusion)) return;
    if (exclusion.conditions.empty() && exclusion.seeds.empty() && exclusion.arms.empty())
      return wrong(text.place);
    all.push_back(std::move(exclusion));
  }

  void wrong(const Place& place) {
    problems_.add(place, "sweep.exclude must be a list of texts such as \"optim.lr=0.1 seed=2\"",
                  {kExample});
  }

 private:
  bool add_word(const std::string& word, const Value& text, Exclusion& exclusion) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) return wrong(text.place), false;
    const std::string path = word.substr(0, equals);
    if (path == "arm") return add_arms(word.substr(equals + 1), text, exclusion);
    const std::vector<Value> values = values_of(path, word.substr(equals + 1), text);
    if (values.empty()) return false;  // told already
    if (path == "seed") {
      for (const Value& value : values) {
        if (value.kind != Value::Kind::Integer) {
          problems_.add(text.place, "sweep.exclude must name whole seeds, but got '" + word + "'",
                        {"write seed=2,3 or seed=2..3"});
          return false;
        }
        exclusion.seeds.push_back(value.integer);
      }
      return true;
    }
    const auto axis = axis_named(path, text);
    if (!axis) return false;
    for (const Value& value : values)
      if (const Axis& of = axes_[*axis]; !of.continuous && !among(value, of.values)) {
        problems_.add(text.place, "sweep.exclude must name values of " + path + ", but '" + word +
                                      "' has one that the axis does not have");
        return false;
      }
    exclusion.conditions.push_back({*axis, values});
    return true;
  }

  // Names with commas between.
  bool add_arms(const std::string& names, const Value& text, Exclusion& exclusion) {
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
      if (std::count(arms_.begin(), arms_.end(), name) == 0) {
        const std::string guess = nearest(name, arms_);
        problems_.add(text.place,
                      "sweep.exclude must name arms, but there is no arm '" + name + "'",
                      {guess.empty() ? kExample : "did you mean '" + guess + "'?"});
        return false;
      }
      exclusion.arms.push_back(name);
    }
    return true;
  }

  std::vector<Value> values_of(const std::string& path,
                               const std::string& written,
                               const Value& text) {
    Setting setting;
    setting.key = setting.value.place = text.place;
    setting.value.kind = Value::Kind::String;
    setting.value.text = setting.value.written = written;
    const Axis axis = parse_axis(path, setting, problems_);
    if (axis.continuous)
      problems_.add(
          text.place,
          "sweep.exclude must name values, but got '" + written + "', which a sampler draws from",
          {kExample});
    return axis.continuous ? std::vector<Value>() : axis.values;
  }

  std::optional<std::size_t> axis_named(const std::string& path, const Value& text) {
    std::vector<std::string> paths = {"seed", "arm"};
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      if (axes_[i].path == path) return i;
      paths.push_back(axes_[i].path);
    }
    const std::string guess = nearest(path, paths);
    problems_.add(text.place,
                  "sweep.exclude must name axes of the sweep, seed or arm, but got '" + path + "'",
                  {guess.empty() ? kExample : "did you mean '" + guess + "'?"});
    return std::nullopt;
  }

  const std::vector<Axis>& axes_;
  const std::vector<std::string>& arms_;
  Problems& problems_;
};

}  // namespace

std::vector<Exclusion> parse_exclusions(const Value& list,
                                        const std::vector<Axis>& axes,
                                        const std::vector<std::string>& arms,
                                        Problems& problems) {
  std::vector<Exclusion> all;
  ExclusionReader reader(axes, arms, problems);
  if (list.kind != Value::Kind::List) reader.wrong(list.place);
  for (const Value& text : list.items) reader.add(text, all);
  return all;
}

std::vector<std::int64_t> Sweep::seeds_at(const std::string& arm,
                                          const SweepPoint& point,
                                          const std::vector<bool>& has,
                                          const std::vector<std::int64_t>& seeds) const {
  std::vector<std::int64_t> left = seeds;
  for (const Exclusion& exclusion : exclusions) {
    const std::vector<std::string>& arms = exclusion.arms;
    if (!arms.empty() && std::count(arms.begin(), arms.end(), arm) == 0) continue;
    const bool meant = std::all_of(
        exclusion.conditions.begin(), exclusion.conditions.end(),
        [&](const auto& one) { return has[one.axis] && among(point[one.axis], one.values); });
    if (!meant) continue;
    std::erase_if(left, [&](std::int64_t seed) {
      return exclusion.seeds.empty() ||
             std::count(exclusion.seeds.begin(), exclusion.seeds.end(), seed) > 0;
    });
  }
  return left;
}

}  // namespace bitlab
