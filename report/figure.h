#pragma once
// Figures by gnuplot: one style, drawn from a script that carries its data.
#include <array>
#include <cstddef>
#include <string>

namespace bitlab {

// Colours that colour-blind readers can tell apart (Okabe and Ito, "Color Universal Design", 2008),
// without the yellow, which is lost on white. Further arms start again from the first.
constexpr std::array<const char*, 7> kPalette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                 "#E69F00", "#56B4E9", "#000000"};

// "#rrggbb" at `t` in [0, 1] of viridis (S. van der Walt and N. Smith, matplotlib 2015, CC0): its
// lightness rises evenly from dark violet to yellow, for colour-blind readers and in grey print as
// well. `t` outside is limited.
std::string ramp_colour(double t);

// Lines on white end at this `t` of the ramp: the yellow would be lost.
constexpr double kRampLineEnd = 0.85;

enum class ImageFormat { Svg, Png, Pdf };

// "svg", "png", "pdf". Throws UsageError for anything else.
ImageFormat parse_image_format(const std::string& name);

// Of the SVG in points; the PNG has kPngScale times as many pixels, the PDF kPdfScale as many
// points.
constexpr int kFigureWidth = 760, kFigureHeight = 470;
constexpr int kPngScale = 3;
constexpr double kPdfScale = 0.75;

// A picture before it is drawn.
struct Figure {
  std::string script;  // for gnuplot: everything after `set terminal`, no `set output`
  int width = kFigureWidth, height = kFigureHeight;  // points
};

// The bytes of the image file. The same figure gives the same bytes: dates, user settings
// (~/.gnuplot), time zone and language are kept out. Nothing is written to disk. Throws Error if
// `program` is not there or refuses the script.
std::string draw(const Figure& figure, ImageFormat format, const std::string& program = "gnuplot");

// `text` as a gnuplot string that shows just these characters.
std::string gnuplot_quoted(const std::string& text);

}  // namespace bitlab
