#pragma once
// Axes of figures: ranges, tics, and the numbers beside them.
#include <cstddef>
#include <string>
#include <vector>

namespace bitlab {

struct Tic {
  double at = 0;
  std::string text;
};

struct PlotAxis {
  double low = 0, high = 1;
  bool log = false;        // base 10; low must be above 0
  std::string title = {};  // empty: none
  std::vector<Tic> tics = {};
  bool tic_texts = true;  // false: small marks alone, as inside a row of panels
  bool grid = false;
  bool slanted = false;  // texts too long to stand beside each other

  // The fraction of the way from low to high at which `value` stands; outside [0, 1] if it is
  // beyond.
  double fraction(double value) const;
};

// A number of a setting as people write it: "0.001", "3e-4", "12288". Three digits if it is not
// whole.
std::string short_number(double value);

// Round numbers inside [low, high], about `many` to 2.5 `many` of them, with the digits that tell
// them apart; from 20,000 on with the SI letter of a factor (k, M, G, T, P).
std::vector<Tic> linear_tics(double low, double high, std::size_t many = 5);

// 1, 1 and 3, or 1, 2 and 5 of each power of ten, whichever comes closest to `many`. Linear tics
// where less than a decade has less than three.
std::vector<Tic> log_tics(double low, double high, std::size_t many = 6);

// An axis over [low, high] with the tics of its kind.
PlotAxis number_axis(double low, double high, bool log, std::size_t many = 5);

// The same along the lower edge of a panel: with the most tics, up to about `many`, whose texts
// stand clear of each other. `width` and `gap` in points; a panel's last text is left out where it
// would touch the first one of a panel `gap` to the right.
struct PanelEdge {
  double width = 0, gap = 0;
};
PlotAxis fitted_axis(double low, double high, bool log, PanelEdge edge, std::size_t many = 5);

}  // namespace bitlab
