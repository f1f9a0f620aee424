#pragma once
// Tables of run values: typed for programs (CSV, JSON), as people read them elsewhere.
#include <string>
#include <vector>

#include "report/run_values.h"
#include "report/table.h"
#include "report/text_table.h"

namespace bitlab {

struct ValueTable {
  struct Column {
    std::string key;   // in CSV and JSON; to_display() goes by it
    std::string head;  // where people read it
  };
  std::vector<Column> columns;
  std::vector<std::vector<RunValue>> rows;  // as many values as columns
};

// For people: a dash where there is no value, columns without any value left out.
TextTable to_text_table(const ValueTable& table);

// Ends with a newline. What is missing is null in JSON, empty in CSV; whole numbers have no point.
std::string format_values(const ValueTable& table, TableFormat format);

}  // namespace bitlab
