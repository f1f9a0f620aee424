#include "report/curves_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "report/figure.h"
#include "report/format.h"
#include "report/labels.h"

namespace bitlab {

namespace {

constexpr double kLabelFont = 11, kLabelGap = 15;  // points
constexpr double kCharWidth = 6.4;          // of the label font, on average and a little more
constexpr double kLeft = 66, kBottom = 58;  // margins in points
constexpr double kTitleStep = 20, kNoteStep = 16, kKeyStep = 18;  // line heights in points
constexpr std::size_t kTitleChars = 70, kNoteChars = 114, kLabelChars = 30;
constexpr const char* kDots = "dt (2,4) lw 1.2";
constexpr const char* kInk = "#222222";
constexpr const char* kGrey = "#767676";

// A short text at the right end of a line, in the line's colour.
struct EndLabel {
  double loss;
  std::string text, colour;
};

// Where things are: the plot's box inside the figure, in points from the lower left corner.
struct Layout {
  double left = kLeft, right, bottom = kBottom, top;
  double low, high;  // losses at the bottom and the top
  double steps;

  double fraction(double loss) const { return (loss - low) / (high - low); }
};

// Of an entry of the key, with its line.
double entry_width(const std::string& text) {
  return 52 + kCharWidth * static_cast<double>(count_characters(text));
}

std::string describe_seeds(const std::vector<ArmCurves>& arms) {
  std::size_t least = std::numeric_limits<std::size_t>::max(), most = 0;
  for (const ArmCurves& arm : arms) {
    if (arm.runs == 0) continue;
    least = std::min(least, arm.runs);
    most = std::max(most, arm.runs);
  }
  if (most == 1) return "one seed";
  const std::string range = least == most ? "" : fmt::format("{} to ", least);
  return fmt::format("mean (line) and range (band) of {}{} seeds", range, most);
}

// What the picture shows and how: data, seeds, and what a reader could not see.
std::string note_of(const Results& results,
                    const std::vector<ArmCurves>& arms,
                    double highest_shown) {
  double start = 0;
  bool logged = false;
  for (const ArmCurves& arm : arms) {
    if (!arm.val.empty()) start = std::max(start, arm.val.front().mean);
    logged |= arm.train_as_logged;
  }
  std::string text = "Data: " + results.data.source + "; " + describe_seeds(arms) +
                     (logged ? "; training: mean between evaluations" : "; no smoothing");
  if (start > highest_shown)
    text += fmt::format("; starts at {}, above the frame", format_fixed(start, 2));
  return text;
}

// A line of the key above the plot.
struct KeyEntry {
  std::string text, style;
};

std::vector<KeyEntry> key_entries(const std::vector<ArmCurves>& arms, bool with_reference) {
  std::vector<KeyEntry> entries;
  for (std::size_t i = 0; i < arms.size(); ++i)
    entries.push_back({shortened(arms[i].label, kLabelChars),
                       fmt::format("lw 3.5 lc rgb '{}'", kPalette[i % kPalette.size()])});
  entries.push_back({"validation", fmt::format("lw 2 lc rgb '{}'", kInk)});
  entries.push_back({"training", fmt::format("lw 1.2 dt (6,4) lc rgb '{}'", kInk)});
  if (with_reference) entries.push_back({"reference", fmt::format("{} lc rgb '{}'", kDots, kGrey)});
  return entries;
}

// The key as rows of entries that fit the width.
std::vector<std::vector<KeyEntry>> key_rows(const std::vector<ArmCurves>& arms,
                                            bool with_reference) {
  std::vector<std::vector<KeyEntry>> rows(1);
  double x = 0;
  for (const KeyEntry& entry : key_entries(arms, with_reference)) {
    const double width = entry_width(entry.text);
    if (x + width > kFigureWidth - kLeft && !rows.back().empty()) {
      rows.emplace_back();
      x = 0;
    }
    rows.back().push_back(entry);
    x += width;
  }
  return rows;
}

std::vector<EndLabel> end_labels(const Results& results,
                                 const std::vector<ArmCurves>& arms,
                                 double low,
                                 double high) {
  std::vector<EndLabel> labels;
  for (const ReferenceLine& r : results.references)
    if (r.loss > low && r.loss < high)
      labels.push_back(
          {r.loss, shortened(r.name, kLabelChars - 6) + " " + format_fixed(r.loss, 3), kGrey});
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].val.empty()) continue;
    const double loss = arms[i].val.back().mean;
    if (loss > low && loss < high)
      labels.push_back({loss,
                        shortened(arms[i].name, kLabelChars - 6) + " " + format_fixed(loss, 3),
                        kPalette[i % kPalette.size()]});
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [](const EndLabel& a, const EndLabel& b) { return a.loss < b.loss; });
  return labels;
}

Layout layout_of(const Results& results,
                 const std::vector<ArmCurves>& arms,
                 const std::vector<EndLabel>& labels,
                 std::pair<double, double> range,
                 double heading) {
  std::size_t longest = 0;
  for (const EndLabel& label : labels) longest = std::max(longest, count_characters(label.text));
  Layout layout;
  layout.right = kFigureWidth - 34 - kCharWidth * static_cast<double>(longest);
  layout.top = kFigureHeight - heading;
  std::tie(layout.low, layout.high) = range;
  layout.steps = 1;
  for (const ArmCurves& arm : arms)
    for (const auto* curve : {&arm.val, &arm.train})
      if (!curve->empty()) layout.steps = std::max(layout.steps, curve->back().step);
  // A run that is still young is shown on the way that it has to go, unless that is very far.
  if (layout.steps * 3 > static_cast<double>(results.steps))
    layout.steps = std::max(layout.steps, static_cast<double>(results.steps));
  return layout;
}

std::string data_block(const std::string& name, const std::vector<CurvePoint>& curve, double top) {
  std::string block = "$" + name + " << EOD\n";
  for (const CurvePoint& p : clip_band(envelope(curve, kFigureWidth * kPngScale), top))
    block += fmt::format("{:.8g} {:.6g} {:.6g} {:.6g}\n", p.step, p.mean, p.low, p.high);
  return block + "EOD\n";
}

std::string data_blocks(const std::vector<ArmCurves>& arms, double top) {
  std::string blocks;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!arms[i].val.empty()) blocks += data_block(fmt::format("val{}", i), arms[i].val, top);
    if (!arms[i].train.empty()) blocks += data_block(fmt::format("train{}", i), arms[i].train, top);
  }
  return blocks;
}

// Five to twelve round losses, with the digits that tell them apart.
std::string loss_tics(double height) {
  const double power = std::floor(std::log10(height / 5));
  const double unit = std::pow(10.0, power), times = height / 5 / unit;
  const double step = unit * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
  return fmt::format("set ytics {:.6g}\nset format y '%.{}f'\n", step,
                     std::max(0, static_cast<int>(-power)));
}

std::string axes(const Results& results, const Layout& layout) {
  const std::string each =
      results.tokens_per_step > 0
          ? fmt::format(" ({} {}s each)", format_count(results.tokens_per_step), results.data.unit)
          : "";
  std::string s;
  s += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n",
                   layout.left / kFigureWidth, layout.right / kFigureWidth);
  s += fmt::format("set bmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n",
                   layout.bottom / kFigureHeight, layout.top / kFigureHeight);
  s += fmt::format("set xrange [0:{}]\nset yrange [{:.6g}:{:.6g}]\n", layout.steps, layout.low,
                   layout.high);
  s += fmt::format("set border 3 lc rgb '{}' lw 1\n", kGrey);
  s += fmt::format("set tics nomirror out scale 0.6 textcolor rgb '{}' font ',11'\n", kInk);
  s += fmt::format("set format x '{}'\n", layout.steps < 20000 ? "%.0f" : "%.0s%c");
  s += loss_tics(layout.high - layout.low);
  s += "set grid ytics lc rgb '#ececec' lw 0.8 lt 1\n";
  // Placed by hand, as terminals differ in where they put axis titles.
  s += fmt::format("set label {} at graph 0.5, screen {:.5f} center textcolor rgb '{}'\n",
                   gnuplot_quoted("optimiser step" + each), 14.0 / kFigureHeight, kInk);
  s += fmt::format(
      "set label {} at screen {:.5f}, graph 0.5 center rotate by 90 textcolor rgb '{}'\n",
      gnuplot_quoted("loss (nats per " + results.data.unit + ")"), 20.0 / kFigureWidth, kInk);
  s += "unset key\n";
  return s;
}

// Title, note and key, from the top of the figure down.
struct Heading {
  std::string script;
  double height = 0;
};

Heading heading_of(const Results& results,
                   const std::vector<ArmCurves>& arms,
                   std::pair<double, double> range) {
  const bool with_reference = std::any_of(
      results.references.begin(), results.references.end(),
      [&](const ReferenceLine& r) { return r.loss > range.first && r.loss < range.second; });
  Heading h;
  double y = kFigureHeight - 8;
  const auto x_of = [](double points) { return points / kFigureWidth; };
  for (const std::string& line : wrapped(results.title, kTitleChars)) {
    y -= kTitleStep;
    h.script += fmt::format(
        "set label {} at screen {:.5f}, screen {:.5f} left font 'DejaVu Sans:Bold,14' "
        "textcolor rgb '{}'\n",
        gnuplot_quoted(line), x_of(kLeft), y / kFigureHeight, kInk);
  }
  y -= 3;
  for (const std::string& line : wrapped(note_of(results, arms, range.second), kNoteChars)) {
    y -= kNoteStep;
    h.script += fmt::format(
        "set label {} at screen {:.5f}, screen {:.5f} left font ',{}' textcolor rgb '{}'\n",
        gnuplot_quoted(line), x_of(kLeft), y / kFigureHeight, kLabelFont, kGrey);
  }
  y -= 6;
  for (const std::vector<KeyEntry>& row : key_rows(arms, with_reference)) {
    y -= kKeyStep;
    double x = kLeft;
    for (const KeyEntry& entry : row) {
      h.script += fmt::format(
          "set arrow from screen {:.5f}, screen {:.5f} to screen {:.5f}, screen {:.5f} "
          "nohead {}\n",
          x_of(x), y / kFigureHeight, x_of(x + 26), y / kFigureHeight, entry.style);
      h.script += fmt::format(
          "set label {} at screen {:.5f}, screen {:.5f} left font ',{}' textcolor rgb '{}'\n",
          gnuplot_quoted(entry.text), x_of(x + 32), y / kFigureHeight, kLabelFont, kInk);
      x += entry_width(entry.text);
    }
  }
  h.height = kFigureHeight - y + 14;
  return h;
}

// Dotted lines for the references, and all labels at the right with a leader to their line.
std::string margin_labels(const Results& results,
                          const Layout& layout,
                          const std::vector<EndLabel>& labels) {
  std::string s;
  for (const ReferenceLine& r : results.references)
    if (r.loss > layout.low && r.loss < layout.high)
      s += fmt::format(
          "set arrow from graph 0, first {0:.6g} to graph 1, first {0:.6g} nohead back "
          "{1} lc rgb '{2}'\n",
          r.loss, kDots, kGrey);
  std::vector<double> wanted;
  for (const EndLabel& label : labels) wanted.push_back(layout.fraction(label.loss));
  const double gap = kLabelGap / (layout.top - layout.bottom);
  const std::vector<double> places = spread_labels(wanted, gap, 0, 1);
  const double width = layout.right - layout.left;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    s += fmt::format(
        "set arrow from graph {:.5f}, graph {:.5f} to graph {:.5f}, graph {:.5f} nohead "
        "lw 0.8 lc rgb '{}'\n",
        1 + 3 / width, wanted[i], 1 + 15 / width, places[i], labels[i].colour);
    s += fmt::format(
        "set label {} at graph {:.5f}, graph {:.5f} left font ',{}' textcolor rgb '{}'\n",
        gnuplot_quoted(labels[i].text), 1 + 19 / width, places[i], kLabelFont, labels[i].colour);
  }
  return s;
}

std::string plot_command(const std::vector<ArmCurves>& arms) {
  std::vector<std::string> bands, trains, vals;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const char* colour = kPalette[i % kPalette.size()];
    if (arms[i].runs > 1 && !arms[i].val.empty())
      bands.push_back(
          fmt::format("$val{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.2 "
                      "noborder notitle",
                      i, colour));
    if (arms[i].runs > 1 && !arms[i].train.empty())
      bands.push_back(
          fmt::format("$train{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.1 "
                      "noborder notitle",
                      i, colour));
    if (!arms[i].train.empty())
      trains.push_back(fmt::format(
          "$train{} using 1:2 with lines lw 1.2 dt (6,4) lc rgb '{}' notitle", i, colour));
    if (!arms[i].val.empty())
      vals.push_back(
          fmt::format("$val{} using 1:2 with lines lw 2 lc rgb '{}' notitle", i, colour));
  }
  std::string command;
  for (const auto* part : {&bands, &vals, &trains})
    for (const std::string& curve : *part)
      command += (command.empty() ? "plot " : ", \\\n     ") + curve;
  return command + "\n";
}

}  // namespace

std::pair<double, double> loss_range(const std::vector<ArmCurves>& arms,
                                     const std::vector<ReferenceLine>& references) {
  constexpr std::size_t kEnough = 4;  // points after the fall
  double last = 0;
  for (const ArmCurves& arm : arms)
    for (const auto* curve : {&arm.val, &arm.train})
      if (!curve->empty()) last = std::max(last, curve->back().step);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const ArmCurves& arm : arms)
    for (const auto* curve : {&arm.val, &arm.train}) {
      const auto after_fall = std::count_if(
          curve->begin(), curve->end(), [&](const CurvePoint& p) { return p.step >= last / 20; });
      const bool whole = static_cast<std::size_t>(after_fall) < kEnough;
      for (const CurvePoint& p : *curve) {
        low = std::min(low, p.low);
        if (whole || p.step >= last / 20) high = std::max(high, p.high);
      }
    }
  const double height = std::max(high - low, 0.02);
  double bottom = low - 0.04 * height, top = high + 0.04 * height;
  for (const ReferenceLine& r : references) {
    if (r.loss < low && r.loss > low - 0.2 * height)
      bottom = std::min(bottom, r.loss - 0.04 * height);
    if (r.loss > high && r.loss < high + 0.1 * height) top = std::max(top, r.loss + 0.04 * height);
  }
  return {bottom, top};
}

std::string curves_script(const Results& results) {
  std::vector<ArmCurves> arms;
  bool any = false;
  for (const ArmResult& arm : results.arms) {
    arms.push_back(arm_curves(arm));
    any |= !arms.back().val.empty() || !arms.back().train.empty();
  }
  if (!any) return "";
  const std::pair<double, double> range = loss_range(arms, results.references);
  const std::vector<EndLabel> labels = end_labels(results, arms, range.first, range.second);
  const Heading heading = heading_of(results, arms, range);
  const Layout layout = layout_of(results, arms, labels, range, heading.height);
  return data_blocks(arms, range.second) + axes(results, layout) + heading.script +
         margin_labels(results, layout, labels) + plot_command(arms);
}

}  // namespace bitlab
