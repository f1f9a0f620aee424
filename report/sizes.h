#pragma once
// What models that classify take, on disk and in memory.
#include <vector>

#include "report/classification.h"
#include "report/judged_runs.h"

namespace bitlab {

// An arm a row, a form of its weights a column: the sizes of files and, of runs that 'bitlab bench
// load' measured, the memory that loading them takes. Of each arm the first run with such figures
// stands, or else the first.
std::vector<ClassificationTable> size_tables(const std::vector<JudgedRun>& all);

}  // namespace bitlab
