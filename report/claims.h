#pragma once
// Claims that an experiment puts to the test, and what its runs say.
//
// A claim is written "CLAIM | TEST" in the experiment's file. TEST is [FIGURE:] A OP B with
//   FIGURE  loss (when none is named) or another of report/run_metrics.h
//   A, B    an arm, a reference loss of the plan ("bigram"), or a number
//   OP      <, > or =; "A = B +- X" for equal to within X
// and may go on: A < B < C holds if every step of it does.
//
// The figure law@N ("law@700M") is what an arm's law of scaling gives at N parameters
// (report/scaling_laws.h); it belongs to the whole sweep, and the 95 % interval of the bootstrap
// decides. All other figures are compared seed by seed. With both sides an arm the differences (of
// logarithms where the figure is one of ratios) are paired; their two-sided 95 % t interval
// decides. Two arms with fewer than two seeds in common are compared by the Mann-Whitney test, at
// p < 0.05.
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

enum class Judgement {
  Supported,     // the whole interval agrees with the claim
  Contradicted,  // the whole interval is against it
  Undecided,     // the interval allows both, or there is none
};

std::string to_string(Judgement judgement);  // "supported here" ...

struct Finding {
  std::string claim, test;
  Judgement judgement = Judgement::Undecided;
  std::string measured;  // one sentence a step of the test
};

// In the order of the plan. A test that cannot be read, or that names what is not there, is
// Undecided, and `measured` says why: a report never fails for it.
std::vector<Finding> judge_claims(const Results& results);

// Throws UsageError that says what is wrong with a claim's test: for 'bitlab check', which knows
// the arms of a file.
void check_claim(const std::string& claim, const std::vector<std::string>& arms);

// For the verdict: each claim with what was measured. Empty without claims.
std::string claims_text(const Results& results);

// One page over several experiments: claim, experiment, measured, judgement; as Markdown with links
// to FOLDER/README.md relative to the page.
std::string claims_page(const std::vector<Results>& experiments);

}  // namespace bitlab
