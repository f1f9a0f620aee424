#include "report/plot_curves_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/labels.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostPanels = 24;  // on a page

std::string entry_line(const std::string& colour) {
  return fmt::format("lw 3.5 lc rgb '{}'", colour);
}

void share_panel(CurveView& view) {
  CurvePanel panel;
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    panel.strokes.push_back({i, kPalette[i]});
    view.key.push_back({shortened(view.lines[i].label, kLabelChars), entry_line(kPalette[i])});
  }
  view.panels = {panel};
}

// Values of a key in the order of its axis.
std::vector<std::string> ordered_values(const CurveView& view, std::size_t key) {
  std::vector<std::string> values;
  for (const SweepAxis& axis : sweep_axes(view.results, view.keys))
    if (axis.path == view.keys[key])
      for (const SweptValue& value : axis.values) values.push_back(value.text);
  const auto add = [&](const std::string& value) {
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  };
  for (const CurveLine& line : view.lines) add(line.group[key]);
  std::erase_if(values, [&](const std::string& value) {
    return std::none_of(view.lines.begin(), view.lines.end(),
                        [&](const CurveLine& line) { return line.group[key] == value; });
  });
  return values;
}

// The key to colour by: the swept setting with the most values; keys.size() if none has three.
std::size_t ramp_key(const CurveView& view) {
  std::size_t best = view.keys.size(), most = 2;
  for (std::size_t k = 0; k < view.keys.size(); ++k) {
    const std::size_t values = view.keys[k] == "arm" ? 0 : ordered_values(view, k).size();
    if (values > most) {
      most = values;
      best = k;
    }
  }
  return best;
}

void colour_along(CurveView& view, std::size_t key) {
  const std::vector<std::string> values = ordered_values(view, key);
  const auto colour = [&](std::size_t i) {
    return ramp_colour(kRampLineEnd * static_cast<double>(i) /
                       static_cast<double>(values.size() - 1));
  };
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    std::string title;
    for (std::size_t k = 0; k < view.keys.size(); ++k) {
      const std::string& value = view.lines[i].group[k];
      if (k == key || value.empty()) continue;
      const std::string text = value_text(value);
      const bool number = text.find_first_not_of("0123456789.e-") == std::string::npos;
      const std::string name = view.keys[k].substr(view.keys[k].rfind('.') + 1);
      title += (title.empty() ? "" : ", ") + (number ? name + "=" + text : text);
    }
    auto panel = std::find_if(view.panels.begin(), view.panels.end(),
                              [&](const CurvePanel& p) { return p.title == title; });
    if (panel == view.panels.end()) panel = view.panels.insert(panel, {title, {}});
    const auto at = std::find(values.begin(), values.end(), view.lines[i].group[key]);
    panel->strokes.push_back({i, colour(static_cast<std::size_t>(at - values.begin()))});
  }
  view.key.push_back({view.keys[key]});
  const std::size_t shown = std::min<std::size_t>(values.size(), 9);
  for (std::size_t j = 0; j < shown; ++j) {
    const std::size_t i = shown == 1 ? 0 : j * (values.size() - 1) / (shown - 1);
    view.key.push_back({shortened(value_text(values[i]), kLabelChars), entry_line(colour(i))});
  }
}

void one_panel_each(CurveView& view) {
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    CurvePanel panel{view.lines[i].label, {}};
    for (std::size_t other = 0; other < view.lines.size(); ++other)
      if (other != i) panel.strokes.push_back({other, kFaint, true});
    panel.strokes.push_back({i, kPalette[0]});
    view.panels.push_back(std::move(panel));
  }
  view.key = {{"the line named above", entry_line(kPalette[0])},
              {"all others", entry_line(kFaint)}};
}

// All in grey, and those that end best in colour.
void best_in_colour(CurveView& view) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < view.lines.size(); ++i) order.push_back(i);
  const auto end_of = [&](std::size_t i) {
    const CurveLine& line = view.lines[i];
    if (line.main.empty() || !line.finished) return static_cast<double>(INFINITY);
    return view.is_score() ? -line.main.back().mean : line.main.back().mean;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return end_of(a) < end_of(b); });
  CurvePanel panel;
  for (std::size_t i = kPalette.size(); i < order.size(); ++i)
    panel.strokes.push_back({order[i], kFaint, true});
  for (std::size_t i = 0; i < kPalette.size(); ++i) {
    panel.strokes.push_back({order[i], kPalette[i]});
    view.key.push_back(
        {shortened(view.lines[order[i]].label, kLabelChars), entry_line(kPalette[i])});
  }
  view.key.push_back(
      {fmt::format("the other {}", order.size() - kPalette.size()), entry_line(kFaint)});
  view.panels = {panel};
}

}  // namespace

void place_lines(CurveView& view) {
  const std::size_t key = ramp_key(view);
  if (view.lines.size() <= kPalette.size())
    share_panel(view);
  else if (key < view.keys.size())
    colour_along(view, key);
  else if (view.lines.size() <= kMostPanels)
    one_panel_each(view);
  if (view.panels.empty() || view.panels.size() > kMostPanels) {
    view.panels.clear();
    view.key.clear();
    best_in_colour(view);
  }
  if (view.request.y == CurveY::Loss) {
    view.key.push_back({"validation", fmt::format("lw 2 lc rgb '{}'", kInk)});
    view.key.push_back({"training", fmt::format("lw 1.2 dt (6,4) lc rgb '{}'", kInk)});
  }
}

}  // namespace bitlab
