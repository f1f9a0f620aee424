#pragma once
// Which runs are meant: "val_loss<2 and arm=bit". One grammar for every verb that takes a filter.
//
//   filter      = conjunction { "or" conjunction }
//   conjunction = term { "and" term }
//   term        = "not" term | "(" filter ")" | KEY OPERATOR VALUE
//   OPERATOR    = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
//   KEY         = a name of report/run_values.h
//   VALUE       = a word, or text in "quotes" or 'quotes'
//
// Numbers are compared as numbers, other values as text, byte by byte. `~` asks whether a regular
// expression (ECMAScript, upper and lower case alike) is found somewhere in the value. Nothing but
// `!=` is true of a run that has no such value: x != y means not x = y. `arm` is equal to the arm's
// name in the file, and to its whole name with the swept settings.
#include <functional>
#include <string>
#include <vector>

#include "report/index.h"

namespace bitlab {

using RunFilter = std::function<bool(const RunRecord&)>;

// Throws UsageError that shows the place in the text, with what was probably meant. The names are
// those that `runs` know. An empty text takes all runs.
RunFilter parse_filter(const std::string& text, const std::vector<RunRecord>& runs);

// The runs that the filter takes.
std::vector<RunRecord> filtered(std::vector<RunRecord> runs, const std::string& filter);

// The grammar in a few lines, for --help.
extern const char* const kFilterHelp;

}  // namespace bitlab
