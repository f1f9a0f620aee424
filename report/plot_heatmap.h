#pragma once
// The final validation loss over two swept settings.
#include <optional>
#include <string>

#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// Cells with the mean over seeds, a panel for each arm (and values of further settings). The
// settings are those named, else the first two that are swept. Colours end at the upper fence of
// the means (third quartile plus 1.5 interquartile ranges), so that one bad corner does not hide
// the rest; the number is in the cell. The lowest cell has a frame. Nothing if no run is done or
// less than two settings are swept. Throws UsageError for a setting that is not swept.
std::optional<Figure> heatmap_figure(const Results& results,
                                     const std::string& x = "",
                                     const std::string& y = "");

}  // namespace bitlab
