#include "report/plot_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/labels.h"

namespace bitlab {

namespace {

constexpr double kTitleStep = 20, kNoteStep = 16, kKeyStep = 18;  // line heights

std::size_t title_chars(double width) { return static_cast<std::size_t>((width - 60) / 10); }
std::size_t note_chars(double width) { return static_cast<std::size_t>((width - 76) / 6); }

// Of an entry of the key, with its line.
double entry_width(const KeyEntry& entry) {
  const double text = kCharWidth * static_cast<double>(count_characters(entry.text));
  if (!entry.line.empty()) return 52 + text;
  return text + (entry.mark.empty() ? 14 : 34);
}

// The key as rows of entries that fit the width.
std::vector<std::vector<KeyEntry>> key_rows(const PlotHeading& heading, double width) {
  std::vector<std::vector<KeyEntry>> rows;
  double x = 0;
  for (const KeyEntry& entry : heading.key) {
    if (rows.empty() || x + entry_width(entry) > width - kLeftMargin) {
      rows.emplace_back();
      x = 0;
    }
    rows.back().push_back(entry);
    x += entry_width(entry);
  }
  return rows;
}

std::string tic_list(const PlotAxis& axis) {
  std::string list;
  for (const Tic& tic : axis.tics)
    list += fmt::format("{}{} {:.10g}", list.empty() ? "" : ", ",
                        axis.tic_texts ? gnuplot_quoted(tic.text) : "''", tic.at);
  return "(" + list + ")";
}

}  // namespace

double heading_height(const PlotHeading& heading, double width) {
  const auto lines = [](const std::string& text, std::size_t most) {
    return static_cast<double>(wrapped(text, most).size());
  };
  return 8 + kTitleStep * lines(heading.title, title_chars(width)) + 3 +
         kNoteStep * lines(heading.note, note_chars(width)) + 6 +
         kKeyStep * static_cast<double>(key_rows(heading, width).size()) + 14;
}

double side_label_room(const std::vector<SideLabel>& labels) {
  std::size_t longest = 0;
  for (const SideLabel& label : labels) longest = std::max(longest, count_characters(label.text));
  return 34 + kCharWidth * static_cast<double>(longest);
}

double PanelGrid::height() const {
  return static_cast<double>(rows()) * row_height + static_cast<double>(rows() - 1) * gap_y;
}

std::vector<PlotBox> PanelGrid::boxes(double left, double right, double top) const {
  const double width =
      (right - left - gap_x * static_cast<double>(columns - 1)) / static_cast<double>(columns);
  std::vector<PlotBox> boxes;
  for (std::size_t i = 0; i < count; ++i) {
    const double x = left + static_cast<double>(i % columns) * (width + gap_x);
    const double y = top - static_cast<double>(i / columns) * (row_height + gap_y);
    boxes.push_back({x, x + width, y - row_height, y});
  }
  return boxes;
}

PanelGrid panel_grid(std::size_t count) {
  PanelGrid grid;
  grid.count = count;
  grid.columns = count <= 3 ? count : count == 4 ? 2 : count <= 9 ? 3 : 4;
  grid.row_height = grid.rows() == 1 ? 270 : grid.rows() == 2 ? 180 : 130;
  return grid;
}

PlotPage::PlotPage(double height, double width) : width_(width), height_(height) {}

std::string PlotPage::screen(double x, double y) const {
  return fmt::format("screen {:.5f}, screen {:.5f}", x / width_, y / height_);
}

// The same place, counted from the panel: gnuplot rounds a panel's corners to its own grid, and
// what belongs to a panel should move along.
std::string PlotPage::in_panel(double x, double y) const {
  return fmt::format("graph {:.5f}, graph {:.5f}", (x - box_.left) / box_.width(),
                     (y - box_.bottom) / box_.height());
}

void PlotPage::data(const std::string& name, const std::string& rows) {
  data_ += "$" + name + " << EOD\n" + rows + "EOD\n";
}

void PlotPage::text(double x, double y, const std::string& text, const TextStyle& style) {
  text_at(screen(x, y), text, style);
}

void PlotPage::text_at(const std::string& place, const std::string& text, const TextStyle& style) {
  const char* align = style.align == Align::Left     ? "left"
                      : style.align == Align::Center ? "center"
                                                     : "right";
  std::string font;
  if (style.bold)
    font = fmt::format(" font 'DejaVu Sans:Bold,{}'", style.size);
  else if (style.size != 12)
    font = fmt::format(" font ',{}'", style.size);
  script_ += fmt::format("set label {} at {} {}{}{}{}{} textcolor rgb '{}'\n", gnuplot_quoted(text),
                         place, align, style.upright ? " rotate by 90" : "", font,
                         style.front ? " front" : "", style.boxed ? " boxed" : "", style.colour);
}

void PlotPage::line(double x0, double y0, double x1, double y1, const std::string& style) {
  script_ +=
      fmt::format("set arrow from {} to {} nohead {}\n", screen(x0, y0), screen(x1, y1), style);
}

void PlotPage::mark(double x, double y, const std::string& point_style) {
  script_ += fmt::format("set label '' at {} point {} front\n", screen(x, y), point_style);
}

void PlotPage::rectangle(const PlotBox& box, const std::string& colour, double opacity) {
  script_ += fmt::format("set object rectangle from {} to {} fc rgb '{}' fs {} noborder behind\n",
                         screen(box.left, box.bottom), screen(box.right, box.top), colour,
                         opacity < 1 ? fmt::format("transparent solid {}", opacity) : "solid 1");
}

void PlotPage::heading(const PlotHeading& heading) {
  double y = height_ - 8;
  for (const std::string& line : wrapped(heading.title, title_chars(width_))) {
    y -= kTitleStep;
    text(kLeftMargin, y, line, {.size = 14, .bold = true});
  }
  y -= 3;
  for (const std::string& line : wrapped(heading.note, note_chars(width_))) {
    y -= kNoteStep;
    text(kLeftMargin, y, line, {.size = kLabelFont, .colour = kGrey});
  }
  y -= 6;
  for (const std::vector<KeyEntry>& row : key_rows(heading, width_)) {
    y -= kKeyStep;
    double x = kLeftMargin;
    for (const KeyEntry& entry : row) {
      double indent = 0;
      if (!entry.line.empty()) {
        line(x, y, x + 26, y, entry.line);
        indent = 32;
      }
      if (!entry.mark.empty()) {
        mark(entry.line.empty() ? x + 6 : x + 13, y, entry.mark);
        if (entry.line.empty()) indent = 16;
      }
      const bool alone = indent == 0;
      text(x + indent, y, entry.text, {.size = kLabelFont, .colour = alone ? kGrey : kInk});
      x += entry_width(entry);
    }
  }
}

void PlotPage::panel(const PlotBox& box, const PlotAxis& x, const PlotAxis& y, Frame frame) {
  ++panels_;
  box_ = box;
  x_ = x;
  y_ = y;
  script_ += fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n",
                         box.left / width_, box.right / width_);
  script_ += fmt::format("set bmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n",
                         box.bottom / height_, box.top / height_);
  for (const auto& [name, axis] : {std::pair("x", &x), std::pair("y", &y)}) {
    script_ += fmt::format("{} logscale {}\n", axis->log ? "set" : "unset", name);
    script_ += fmt::format("set {}range [{:.10g}:{:.10g}]\n", name, axis->low, axis->high);
  }
  script_ += fmt::format("set border {} lc rgb '{}' lw 1\n", frame == Frame::Axes ? 3 : 0, kGrey);
  script_ += fmt::format("set tics nomirror out scale 0.6 textcolor rgb '{}' font ',11'\n", kInk);
  script_ += "unset grid\nunset key\nset style textbox opaque noborder margins 1,1\n";
  for (const auto& [name, axis] : {std::pair("x", &x), std::pair("y", &y)}) {
    if (axis->tics.empty())
      script_ += fmt::format("unset {}tics\n", name);
    else
      script_ += fmt::format("set {}tics {} {}\n", name,
                             axis->slanted ? "rotate by 30 right" : "norotate", tic_list(*axis));
    if (axis->grid) script_ += fmt::format("set grid {}tics lc rgb '#ececec' lw 0.8 lt 1\n", name);
  }
  // Placed by hand, as terminals differ in where they put axis titles.
  if (!x.title.empty())
    text_at(fmt::format("graph 0.5, screen {:.5f}", (box.bottom - 44) / height_), x.title,
            {.align = Align::Center});
  if (!y.title.empty())
    text_at(fmt::format("screen {:.5f}, graph 0.5", (box.left - 46) / width_), y.title,
            {.align = Align::Center, .upright = true});
}

void PlotPage::plot(const std::vector<std::string>& elements) {
  std::string command;
  for (const std::string& element : elements)
    command += (command.empty() ? "plot " : ", \\\n     ") + element;
  if (command.empty()) command = "plot NaN notitle";
  script_ += command + "\nunset label\nunset arrow\nunset object\n";
}

double PlotPage::x_of(double value) const { return box_.left + box_.width() * x_.fraction(value); }

double PlotPage::y_of(double value) const {
  return box_.bottom + box_.height() * y_.fraction(value);
}

void PlotPage::reference(double value) {
  line(box_.left, y_of(value), box_.right, y_of(value),
       fmt::format("back {} lc rgb '{}'", kDots, kGrey));
}

void PlotPage::side_labels(std::vector<SideLabel> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const SideLabel& a, const SideLabel& b) { return a.value < b.value; });
  std::vector<double> wanted;
  for (const SideLabel& label : labels) wanted.push_back(y_.fraction(label.value));
  const std::vector<double> places = spread_labels(wanted, kLabelGap / box_.height(), 0, 1);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double y = box_.bottom + box_.height() * places[i];
    script_ += fmt::format("set arrow from {} to {} nohead lw 0.8 lc rgb '{}'\n",
                           in_panel(box_.right + 3, box_.bottom + box_.height() * wanted[i]),
                           in_panel(box_.right + 15, y), labels[i].colour);
    text_at(in_panel(box_.right + 19, y), labels[i].text,
            {.size = kLabelFont, .colour = labels[i].colour});
  }
}

Figure PlotPage::figure() const {
  return {data_ + (panels_ > 1 ? "set multiplot\n" : "") + script_ +
              (panels_ > 1 ? "unset multiplot\n" : ""),
          static_cast<int>(std::lround(width_)), static_cast<int>(std::lround(height_))};
}

}  // namespace bitlab
