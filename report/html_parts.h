#pragma once
// The parts of the report page; called by page_parts().
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

std::string progress_html(const Results& results);   // how many runs are in which state
std::string arm_table_html(const Results& results);  // one row an arm
std::string scaling_html(const Results& results);    // laws continued; empty without such a study
std::string classification_html(const Results& results);  // scores; empty if none were taken
std::string run_table_html(const Results& results);       // one row a run
std::string settings_html(const Results& results);    // what differs between arms, what they share
std::string provenance_html(const Results& results);  // build, machine, data, times
std::string reproduce_html(const Results& results);   // the commands

// How many runs are in which state.
struct Progress {
  std::map<SeedState, std::size_t> states;
  std::size_t runs = 0;
  double done = 0;  // in runs; a run under way counts with the part of its steps that is done

  void add(const SeedResult& run);
  bool complete() const;
  double percent() const;
  std::string counts_html() const;  // "5 done, 1 running"
};

// A cell of a table; without a number to sort by, its text is.
struct Cell {
  std::string text;  // not yet escaped
  std::string number = {};
  std::string link = {};  // where a click on the text leads
};

// A table whose columns sort by a click, if `sortable`. The first cell of a row heads it.
std::string html_table(const std::string& id,
                       const std::vector<std::string>& heads,
                       const std::vector<std::vector<Cell>>& rows,
                       bool sortable);

}  // namespace bitlab
