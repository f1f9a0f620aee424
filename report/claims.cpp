#include "report/claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "report/claim_step.h"
#include "report/claim_test.h"
#include "report/run_metrics.h"
#include "report/scaling_laws.h"

namespace bitlab {

namespace {

Finding test_claim(const std::string& text, const Results& results) {
  Finding finding;
  try {
    const SplitClaim split = split_claim(text);
    finding.claim = split.claim;
    finding.test = split.test;
    const ClaimTest test = parse_claim_test(split.test);
    finding.judgement = Judgement::Supported;
    for (const ClaimStep& step : test.steps) {
      const StepResult result = test_step(step, test.figure, results);
      finding.measured += (finding.measured.empty() ? "" : "; ") + result.measured;
      if (finding.judgement == Judgement::Contradicted) continue;
      if (result.judgement != Judgement::Supported) finding.judgement = result.judgement;
    }
  } catch (const std::exception& e) {
    finding.judgement = Judgement::Undecided;
    const std::string what = e.what(), where = "[claim] ";
    finding.measured = what.starts_with(where) ? what.substr(where.size()) : what;
    if (finding.claim.empty()) finding.claim = text;
  }
  return finding;
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

}  // namespace

std::string to_string(Judgement judgement) {
  switch (judgement) {
    case Judgement::Supported:
      return "supported here";
    case Judgement::Contradicted:
      return "contradicted here";
    case Judgement::Undecided:
      break;
  }
  return "undecided";
}

std::vector<Finding> judge_claims(const Results& results) {
  std::vector<Finding> findings;
  for (const std::string& claim : results.claims) findings.push_back(test_claim(claim, results));
  return findings;
}

void check_claim(const std::string& claim, const std::vector<std::string>& arms) {
  const ClaimTest test = parse_claim_test(split_claim(claim).test);
  if (!law_size(test.figure)) run_metric(test.figure);
  const bool any = std::any_of(test.steps.begin(), test.steps.end(), [&](const ClaimStep& step) {
    return std::count(arms.begin(), arms.end(), step.left) > 0 ||
           std::count(arms.begin(), arms.end(), step.right) > 0;
  });
  if (!any)
    throw UsageError("claim", "must name an arm of the experiment, but got '" + claim + "'");
}

std::string claims_text(const Results& results) {
  std::string text;
  for (const Finding& finding : judge_claims(results))
    text += fmt::format("Claim: {}\n  tested as {}: {}.\n  {}.\n", finding.claim, finding.test,
                        finding.measured, to_string(finding.judgement));
  return text;
}

std::string claims_page(const std::vector<Results>& experiments) {
  std::string page =
      "# Claims\n\nWhat is claimed of ternary transformers, and what the experiments of this "
      "folder measured. A judgement holds for the size, data and settings of its experiment "
      "only. Intervals are two-sided 95 % t intervals over seeds of paired differences, and arms "
      "with fewer than two common seeds are compared by the Mann-Whitney test at p < 0.05; those "
      "of laws of scaling are of a bootstrap. Each stands on its own: of twenty true claims one is "
      "expected to miss. Written by `bitlab claims`.\n\n"
      "| claim | experiment | measured | judgement |\n|---|---|---|---|\n";
  for (const Results& results : experiments)
    for (const Finding& finding : judge_claims(results))
      page += fmt::format("| {} | [{}]({}/README.md): `{}` | {} | **{}** |\n", cell(finding.claim),
                          results.experiment, results.folder.filename().string(),
                          cell(finding.test), cell(finding.measured), to_string(finding.judgement));
  return page;
}

}  // namespace bitlab
