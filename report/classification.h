#pragma once
// How well the arms of an experiment classify texts: what the table leaves out.
#include <string>

#include "report/results.h"

namespace bitlab {

// Markdown, ending with a newline: for each run that is done and has predictions, accuracy with
// its 95 % bootstrap interval, F1, calibration error, McNemar's test against the run of the same
// seed of the baseline, and the confusion matrix. Empty if no run has predictions.
std::string classification_page(const Results& results);

}  // namespace bitlab
