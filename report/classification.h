#pragma once
// What an experiment that classifies texts says, in tables and in words.
#include <string>

#include "report/results.h"

namespace bitlab {

// Markdown, empty if no run that is done classified texts:
//   for each run accuracy, weighted F1 and calibration error of its last step with their 95 %
//   intervals, how many texts of each label it got right, and McNemar's test against the baseline's
//   run of the same seed;
//   for each arm the bytes of its model in fp32, fp16 and with its ternary matrices in 2 bits.
std::string classification_page(const Results& results);

// A sentence an arm: its accuracy against the baseline's, with the interval of the difference over
// texts and seeds, and what follows. Empty if no run that is done classified texts.
std::string classification_verdict(const Results& results);

}  // namespace bitlab
