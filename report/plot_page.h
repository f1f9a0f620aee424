#pragma once
// One style for all figures: text, key and panels on a page, as a gnuplot script. Places are in
// points from the lower left corner.
#include <string>
#include <vector>

#include "report/figure.h"
#include "report/plot_axis.h"

namespace bitlab {

constexpr const char* kInk = "#222222";
constexpr const char* kGrey = "#767676";
constexpr const char* kFaint = "#c8c8c8";         // what is only there to compare with
constexpr const char* kDots = "dt (2,4) lw 1.2";  // reference lines
constexpr double kLeftMargin = 66, kBottomMargin = 58;
constexpr double kLabelFont = 11, kLabelGap = 15;
constexpr std::size_t kLabelChars = 30;

enum class Align { Left, Center, Right };

struct TextStyle {
  double size = 12;
  std::string colour = kInk;
  Align align = Align::Left;
  bool bold = false, upright = false;  // upright: reads from bottom to top
  bool front = false;                  // over the curves
  bool boxed = false;                  // on a patch of white
};

struct PlotBox {
  double left = 0, right = 0, bottom = 0, top = 0;

  double width() const { return right - left; }
  double height() const { return top - bottom; }
};

// Of the key above the plot: a piece of line, a mark (a gnuplot point style), or a text alone.
struct KeyEntry {
  std::string text, line = {}, mark = {};
};

// Title, note and key, from the top of the page down.
struct PlotHeading {
  std::string title, note;
  std::vector<KeyEntry> key = {};
};

double heading_height(const PlotHeading& heading, double width = kFigureWidth);

// A label beside a panel at the height of `value`.
struct SideLabel {
  double value = 0;
  std::string text, colour;
};

enum class Frame { Axes, None };

class PlotPage {
 public:
  explicit PlotPage(double height = kFigureHeight, double width = kFigureWidth);

  double width() const { return width_; }
  double height() const { return height_; }

  void data(const std::string& name, const std::string& rows);  // a block, $name
  void heading(const PlotHeading& heading);
  void text(double x, double y, const std::string& text, const TextStyle& style = {});
  void line(double x0, double y0, double x1, double y1, const std::string& style);
  void mark(double x, double y, const std::string& point_style);
  void rectangle(const PlotBox& box, const std::string& colour, double opacity = 1);

  // Sets up the axes of the next plot; all of text() and line() up to its plot() is drawn with it.
  void panel(const PlotBox& box, const PlotAxis& x, const PlotAxis& y, Frame frame = Frame::Axes);
  void plot(const std::vector<std::string>& elements);  // parts of gnuplot's plot command

  // Labels at the right of the panel, as close to their values as they can be, with leaders.
  void side_labels(std::vector<SideLabel> labels);
  // A dotted line over the whole panel at `value`, behind the curves.
  void reference(double value);

  const PlotBox& box() const { return box_; }  // of the last panel
  double x_of(double value) const;             // in the last panel
  double y_of(double value) const;

  Figure figure() const;

 private:
  std::string screen(double x, double y) const;
  std::string in_panel(double x, double y) const;
  void text_at(const std::string& place, const std::string& text, const TextStyle& style);

  double width_, height_;
  std::size_t panels_ = 0;
  std::string data_, script_;
  PlotBox box_;
  PlotAxis x_, y_;
};

// Boxes of `count` equal panels, row by row from the top left.
struct PanelGrid {
  std::size_t count = 1, columns = 1;
  double row_height = 250, gap_x = 34, gap_y = 36;

  std::size_t rows() const { return (count + columns - 1) / columns; }
  double height() const;  // of all rows and the gaps between them
  std::vector<PlotBox> boxes(double left, double right, double top) const;
  bool lowest(std::size_t i) const { return i + columns >= count; }  // no panel below it
  bool leftmost(std::size_t i) const { return i % columns == 0; }
};

// Two to four columns, and rows of a height that suits their number.
PanelGrid panel_grid(std::size_t count);

// The room that side labels need at the right, with leaders.
double side_label_room(const std::vector<SideLabel>& labels);

}  // namespace bitlab
