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

enum class ImageFormat { Svg, Png };

// Of the SVG in points; the PNG has kPngScale times as many pixels.
constexpr int kFigureWidth = 760, kFigureHeight = 470;
constexpr int kPngScale = 3;

// Draws `script` (everything after `set terminal`, no `set output`) and returns the image file's
// bytes. The same script gives the same bytes. User settings (~/.gnuplot) are not read; nothing is
// written to disk. Throws Error if `program` is not there or refuses the script.
std::string draw(const std::string& script,
                 ImageFormat format,
                 const std::string& program = "gnuplot");

// `text` as a gnuplot string that shows just these characters.
std::string gnuplot_quoted(const std::string& text);

}  // namespace bitlab
