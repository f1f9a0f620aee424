#pragma once
// The curves of an experiment as the page's script reads them.
#include <cstddef>
#include <string>

#include "report/results.h"

namespace bitlab {

// JSON: the arms with their runs, each curve as columns. A column is a list of whole numbers: each
// value is rounded to a multiple of the metric's unit, and the list has the differences from one to
// the next (the first from 0), which compress well; null is a gap, a value that is not finite or
// beyond 1e15 units. Losses have units of 1e-4 (validation) and 1e-3 (training); of gradient norms
// the logarithm is written, in units of 0.01. Columns of steps that several curves share stand in
// "grids".
//
// Where all this would be more than `budget` bytes when compressed as in a page, each curve is
// reduced to its min/max envelope (report/curves.h); "columns" then says of how many columns. Means
// and ranges over seeds are taken before that.
std::string page_data(const Results& results, std::size_t budget = 250'000);

// zlib's format in base64: what the page holds of page_data().
std::string packed_data(const std::string& json);

}  // namespace bitlab
