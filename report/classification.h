#pragma once
// What an experiment that classifies texts says, in tables and in words.
#include <string>
#include <vector>

#include "report/results.h"
#include "report/text_table.h"

namespace bitlab {

struct ClassificationTable {
  std::string id, title, note;  // note: what the columns are
  TextTable table;
};

// None if no run that is done classified texts:
//   "scores": for each run accuracy, weighted F1 and calibration error of its last step with their
//   95 % intervals, how many texts of each label it got right, and McNemar's test against the
//   baseline's run of the same seed;
//   "sizes": for each arm the bytes of its model in fp32, fp16 and with ternary matrices in 2 bits.
std::vector<ClassificationTable> classification_tables(const Results& results);

// The same and more for other programs, as JSON: of each run its scores and loss with their
// intervals and the confusion matrix (a row a label, a column what was said), McNemar's test
// between any two arms with the same seed, and the difference of each arm to the baseline. Empty if
// no run that is done classified texts.
std::string classification_json(const Results& results);

// They as Markdown.
std::string classification_page(const Results& results);

// A sentence an arm: its accuracy against the baseline's, with the interval of the difference over
// texts and seeds, and what follows. Empty if no run that is done classified texts.
std::string classification_verdict(const Results& results);

}  // namespace bitlab
