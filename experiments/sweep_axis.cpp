// The grammar of an axis.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>

#include "experiments/sweep.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostValues = 100'000;  // of one axis: more is a slip of the finger

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

// At the commas outside of parentheses.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> items;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    items.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return items;
}

double four_digits(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3e", x);
  return *parse_number<double>(text);
}

// A text between commas, read as one axis of its own.
class ItemParser {
 public:
  ItemParser(Axis& axis, Problems& problems) : axis_(axis), problems_(problems) {}

  void parse(std::string_view item) {
    if (item.empty()) return wrong(item, "two commas in a row, or one at the end");
    if (item.find_first_of("()") != std::string_view::npos) return spaced(item);
    if (const std::size_t dots = item.find(".."); dots != std::string_view::npos)
      return range(item, item.substr(0, dots), item.substr(dots + 2));
    axis_.values.push_back(scalar(item));
  }

 private:
  Value scalar(std::string_view text) const {
    Value v = axis_.setting.value;
    v.items.clear();
    v.text = v.written = std::string(text);
    v.kind = Value::Kind::String;
    if (text == "true" || text == "false") {
      v.kind = Value::Kind::Boolean;
      v.boolean = text == "true";
    } else if (const auto integer = parse_number<std::int64_t>(text)) {
      v.kind = Value::Kind::Integer;
      v.integer = *integer;
      v.number = static_cast<double>(*integer);
    } else if (const auto number = parse_number<double>(text)) {
      v.kind = Value::Kind::Float;
      v.number = *number;
    }
    return v;
  }

  void range(std::string_view item, std::string_view first, std::string_view last) {
    const auto from = parse_number<std::int64_t>(trimmed(first));
    const auto to = parse_number<std::int64_t>(trimmed(last));
    if (!from || !to) return wrong(item, "a range goes from an integer to another: 1..4");
    if (*to < *from) return wrong(item, "a range goes upwards: 1..4");
    if (static_cast<std::uint64_t>(*to) - static_cast<std::uint64_t>(*from) >= kMostValues)
      return too_many(item);
    for (std::int64_t x = *from; x <= *to; ++x) axis_.values.push_back(scalar(std::to_string(x)));
  }

  // lin(a,b)xN or log(a,b)xN, without xN for the samplers.
  void spaced(std::string_view item) {
    const std::size_t open = item.find('('), close = item.find(')');
    if (close == std::string_view::npos || open > close)
      return wrong(item, "a parenthesis is missing");
    const std::string_view name = trimmed(item.substr(0, open));
    const std::string_view count = trimmed(item.substr(close + 1));
    const auto ends = split(item.substr(open + 1, close - open - 1));
    if (name != "lin" && name != "log") return wrong(item, "there are lin(a,b)xN and log(a,b)xN");
    if (ends.size() != 2) return wrong(item, "two numbers belong between the parentheses");
    const auto from = parse_number<double>(ends[0]), to = parse_number<double>(ends[1]);
    if (!from || !to || !std::isfinite(*from) || !std::isfinite(*to) || *from == *to)
      return wrong(item, "the ends must be two different numbers");
    axis_.log = name == "log";
    if (axis_.log && (*from <= 0 || *to <= 0))
      return wrong(item, "the ends of log must be above 0");
    axis_.from = *from;
    axis_.to = *to;
    axis_.continuous = axis_.continuous || count.empty();
    if (count.empty()) return;
    const auto n =
        count.front() == 'x' ? parse_number<std::int64_t>(trimmed(count.substr(1))) : std::nullopt;
    if (!n || *n < 2) return wrong(item, "write how many values after it, at least 2: x8");
    if (*n > static_cast<std::int64_t>(kMostValues)) return too_many(item);
    for (std::int64_t i = 0; i < *n; ++i)
      axis_.values.push_back(
          value_between(axis_, static_cast<double>(i) / static_cast<double>(*n - 1)));
  }

  void wrong(std::string_view item, const std::string& why) {
    problems_.add(axis_.setting.value.place,
                  axis_.path +
                      " must be swept over a,b or 1..4 or lin(a,b)xN or log(a,b)xN, but got '" +
                      std::string(item) + "'",
                  {why});
  }

  void too_many(std::string_view item) {
    problems_.add(axis_.setting.value.place, axis_.path + " must have at most " +
                                                 std::to_string(kMostValues) +
                                                 " values, but got '" + std::string(item) + "'");
  }

  Axis& axis_;
  Problems& problems_;
};

void parse_list(Axis& axis, Problems& problems) {
  const Value& list = axis.setting.value;
  for (const Value& item : list.items) {
    if (item.kind == Value::Kind::List || item.kind == Value::Kind::Other)
      problems.add(item.place, axis.path + " must be swept over plain values, but got " +
                                   (item.kind == Value::Kind::List ? "a list" : item.written));
    axis.values.push_back(item);
  }
  if (list.items.empty())
    problems.add(list.place, axis.path + " must be swept over at least one value");
}

}  // namespace

namespace {

Value rounded(Value v) {
  v.kind = Value::Kind::Integer;
  v.integer = std::llround(v.number);
  v.number = static_cast<double>(v.integer);
  v.written = std::to_string(v.integer);
  return v;
}

}  // namespace

void round_values(Axis& axis) {
  axis.whole = true;
  for (Value& value : axis.values)
    if (value.computed) value = rounded(value);
}

Value value_between(const Axis& axis, double t) {
  double x = axis.log
                 ? std::exp(std::log(axis.from) + t * (std::log(axis.to) - std::log(axis.from)))
                 : axis.from + t * (axis.to - axis.from);
  x = t <= 0 ? axis.from : t >= 1 ? axis.to : four_digits(x);
  x = std::clamp(x, std::min(axis.from, axis.to), std::max(axis.from, axis.to));
  Value v;
  v.kind = Value::Kind::Float;
  v.computed = true;
  v.number = x;
  char text[32];
  v.written = std::string(text, std::to_chars(text, text + sizeof text, x).ptr);
  v.place = axis.setting.value.place;
  return axis.whole ? rounded(v) : v;
}

Axis parse_axis(const std::string& path, const Setting& setting, Problems& problems) {
  Axis axis;
  axis.path = path;
  axis.setting = setting;
  const Value& value = setting.value;
  if (value.kind == Value::Kind::List) {
    parse_list(axis, problems);
    return axis;
  }
  if (value.kind != Value::Kind::String) {
    axis.values.push_back(value);
    return axis;
  }
  const auto items = split(value.text);
  for (const std::string_view item : items) ItemParser(axis, problems).parse(item);
  if (axis.continuous && items.size() > 1)
    problems.add(value.place, path + " must say how many values in a list, but got " + value.text,
                 {"write xN after it: log(1e-4,1e-2)x8"});
  return axis;
}

bool names_several(const Value& value) {
  if (value.kind == Value::Kind::List) return true;
  const bool quoted = value.written != value.text;
  return value.kind == Value::Kind::String && !quoted &&
         (value.text.find_first_of(",(") != std::string::npos ||
          value.text.find("..") != std::string::npos);
}

}  // namespace bitlab
