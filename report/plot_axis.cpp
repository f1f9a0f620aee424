#include "report/plot_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/format.h"
#include "report/labels.h"

namespace bitlab {

namespace {

// "3e-04" as "3e-4".
std::string without_padding(std::string number) {
  const std::size_t e = number.find('e');
  if (e == std::string::npos) return number;
  std::size_t digit = e + 1;
  if (number[digit] == '+') number.erase(digit, 1);
  if (number[digit] == '-') ++digit;
  while (number[digit] == '0' && digit + 1 < number.size()) number.erase(digit, 1);
  return number;
}

// 1 to 999 with an SI letter: the divisor, and the letter.
struct Prefix {
  double divisor = 1;
  const char* letter = "";
};

Prefix prefix_of(double largest) {
  constexpr std::array<const char*, 7> kLetters = {"", "k", "M", "G", "T", "P", "E"};
  if (largest < 20000) return {};
  const auto thousands =
      std::min(kLetters.size() - 1, static_cast<std::size_t>(std::log10(largest * 1.0000001) / 3));
  return {std::pow(1000.0, static_cast<double>(thousands)), kLetters[thousands]};
}

std::string log_tic_text(double value, double low, double high) {
  if (high >= 20000 && low >= 0.5) {
    const Prefix prefix = prefix_of(value < 1000 ? value : std::max(value, 20000.0));
    return value < 1000
               ? short_number(value)
               : short_number(value / prefix_of(std::max(value, 20000.0)).divisor) + prefix.letter;
  }
  const auto exponent = static_cast<int>(std::floor(std::log10(value) + 1e-9));
  if (low >= 1e-3 && high < 1e5) return short_number(value);
  return fmt::format("{:.0f}e{}", value / std::pow(10.0, exponent), exponent);
}

// Whether two texts under an axis, `apart` points from middle to middle, leave a gap between them.
bool clear_of(const Tic& left, const Tic& right, double apart) {
  constexpr double kGap = 1.5;  // in characters; digits are wider than most
  const std::size_t both = count_characters(left.text) + count_characters(right.text);
  return apart >= kCharWidth * (static_cast<double>(both) / 2 + kGap);
}

bool all_clear(const PlotAxis& axis, double width) {
  for (std::size_t i = 1; i < axis.tics.size(); ++i)
    if (const Tic& left = axis.tics[i - 1], &right = axis.tics[i];
        !clear_of(left, right, width * (axis.fraction(right.at) - axis.fraction(left.at))))
      return false;
  return true;
}

}  // namespace

double PlotAxis::fraction(double value) const {
  if (log) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
  return (value - low) / (high - low);
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (value == std::floor(value) && size < 1e6) return fmt::format("{:.0f}", value);
  if (size >= 1e-3 && size < 1e5) return fmt::format("{:.3g}", value);
  std::string text = fmt::format("{:.2e}", value);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;  // not finite
  std::size_t digits = text.find_last_not_of('0', e - 1) + 1;
  if (text[digits - 1] == '.') --digits;
  return without_padding(text.substr(0, digits) + text.substr(e));
}

std::vector<Tic> linear_tics(double low, double high, std::size_t many) {
  // A little more, so that rounding does not halve a step.
  const double goal = (high - low) / static_cast<double>(many) * (1 + 1e-9);
  if (!(goal > 0) || !std::isfinite(goal)) return {};
  const double unit = std::pow(10.0, std::floor(std::log10(goal))), times = goal / unit;
  const double step = unit * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
  const Prefix prefix = prefix_of(std::max(std::abs(low), std::abs(high)));
  const int digits =
      std::max(0, -static_cast<int>(std::floor(std::log10(step / prefix.divisor) + 1e-9)));
  std::vector<Tic> tics;
  const double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
  for (double i = first; i <= last; ++i) {
    const double at = i * step;
    const bool bare = i == 0 && *prefix.letter != '\0';  // "0", not "0.0M"
    tics.push_back({at, bare ? "0" : format_fixed(at / prefix.divisor, digits) + prefix.letter});
  }
  return tics;
}

std::vector<Tic> log_tics(double low, double high, std::size_t many) {
  const std::vector<std::vector<double>> choices = {{1}, {1, 3}, {1, 2, 5}};
  std::vector<Tic> best;
  const auto misses = [&](const std::vector<Tic>& tics) {
    return std::abs(static_cast<double>(tics.size()) - static_cast<double>(many));
  };
  for (const std::vector<double>& mantissas : choices) {
    std::vector<Tic> tics;
    for (double e = std::floor(std::log10(low)); e <= std::ceil(std::log10(high)); ++e)
      for (const double m : mantissas) {
        const double at = m * std::pow(10.0, e);
        if (at < low * (1 - 1e-9) || at > high * (1 + 1e-9)) continue;
        tics.push_back({at, log_tic_text(at, low, high)});
      }
    if (best.empty() || misses(tics) <= misses(best)) best = std::move(tics);
  }
  // Many decades: every second, third ...
  const std::size_t each = (best.size() + 2 * many - 1) / (2 * many);
  if (each > 1) {
    std::vector<Tic> fewer;
    for (std::size_t i = 0; i < best.size(); i += each) fewer.push_back(best[i]);
    best = std::move(fewer);
  }
  return best.size() < 3 && high < 10 * low
             ? linear_tics(low, high, std::max<std::size_t>(many / 2, 2))
             : best;
}

PlotAxis number_axis(double low, double high, bool log, std::size_t many) {
  PlotAxis axis;
  axis.low = low;
  axis.high = high;
  axis.log = log;
  axis.tics = log ? log_tics(low, high, many) : linear_tics(low, high, many);
  return axis;
}

PlotAxis fitted_axis(double low, double high, bool log, PanelEdge edge, std::size_t many) {
  PlotAxis axis = number_axis(low, high, log, many);
  while (many > 1 && !all_clear(axis, edge.width)) axis = number_axis(low, high, log, --many);
  if (axis.tics.size() < 2) return axis;
  Tic& last = axis.tics.back();
  const Tic& first = axis.tics.front();
  const double round = 1 - axis.fraction(last.at) + axis.fraction(first.at);
  if (!clear_of(last, first, edge.width * round + edge.gap)) last.text.clear();
  return axis;
}

}  // namespace bitlab
