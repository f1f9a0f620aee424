#include "report/claim_test.h"

#include <sstream>

#include "core/base/error.h"

namespace bitlab {

namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

[[noreturn]] void refuse(const std::string& text) {
  throw UsageError(
      "claim",
      "a test must be like 'A < B', 'A = B +- 0.02' or 'flips: A > 0', but got '" + text + "'");
}

bool is_relation(const std::string& word) { return word == "<" || word == ">" || word == "="; }

double number(const std::string& word, const std::string& text) {
  std::istringstream in(word);
  double x = 0;
  if (!(in >> x) || !in.eof() || x < 0) refuse(text);
  return x;
}

// Operands (names may hold spaces) and the relations between them.
struct Words {
  std::vector<std::string> operands, relations;
};

Words words_of(const std::string& body, const std::string& text) {
  Words words;
  std::string operand;
  std::istringstream in(body);
  for (std::string word; in >> word;) {
    if (!is_relation(word)) {
      operand += (operand.empty() ? "" : " ") + word;
      continue;
    }
    if (operand.empty()) refuse(text);
    words.operands.push_back(operand);
    words.relations.push_back(word);
    operand.clear();
  }
  if (operand.empty() || words.relations.empty()) refuse(text);
  words.operands.push_back(operand);
  return words;
}

}  // namespace

SplitClaim split_claim(const std::string& text) {
  const std::size_t bar = text.rfind('|');
  if (bar == std::string::npos)
    throw UsageError("claim", "must be 'CLAIM | TEST', but got '" + text + "'",
                     "docs/claims.md shows tests");
  return {trimmed(text.substr(0, bar)), trimmed(text.substr(bar + 1))};
}

ClaimTest parse_claim_test(const std::string& text) {
  ClaimTest test;
  std::string body = text;
  if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
    test.figure = trimmed(text.substr(0, colon));
    body = text.substr(colon + 1);
  }
  const Words words = words_of(body, text);
  for (std::size_t i = 0; i < words.relations.size(); ++i) {
    ClaimStep step{words.operands[i], words.operands[i + 1], words.relations[i][0], std::nullopt};
    if (const std::size_t plus = step.right.find(" +- "); plus != std::string::npos) {
      if (step.relation != '=' || words.relations.size() > 1) refuse(text);
      step.tolerance = number(trimmed(step.right.substr(plus + 4)), text);
      step.right = step.right.substr(0, plus);
    }
    test.steps.push_back(step);
  }
  return test;
}

}  // namespace bitlab
