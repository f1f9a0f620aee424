#pragma once
// The four ways to write the result table; called by format_table().
#include <string>
#include <vector>

#include "report/results.h"
#include "report/table.h"

namespace bitlab {

std::string markdown_table(const Results& results, const std::vector<TableRow>& rows);
std::string tex_table(const Results& results, const std::vector<TableRow>& rows);
std::string csv_table(const std::vector<TableRow>& rows);
std::string json_table(const std::vector<TableRow>& rows);

}  // namespace bitlab
