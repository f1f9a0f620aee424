#pragma once
// A claim's test as it is written: its parts.
#include <optional>
#include <string>
#include <vector>

namespace bitlab {

struct ClaimStep {
  std::string left, right;
  char relation = '<';              // <, > or =
  std::optional<double> tolerance;  // of =, as written; none: exactly equal
};

struct ClaimTest {
  std::string figure = "loss";
  std::vector<ClaimStep> steps;  // at least one
};

// The two sides of "CLAIM | TEST". Throws UsageError without a "|".
struct SplitClaim {
  std::string claim, test;
};
SplitClaim split_claim(const std::string& text);

// Throws UsageError that shows how a test is written.
ClaimTest parse_claim_test(const std::string& text);

}  // namespace bitlab
