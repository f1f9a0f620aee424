#pragma once
// What may stand at the end of an unfinished command line.
#include <string>
#include <vector>

namespace bitlab {

struct Candidate {
  std::string text;  // the whole word; one that ends in '=' goes on
  std::string help;  // one line, or empty
};

// `words` are those after "bitlab"; the last one, which may be empty, is being typed. Empty if it
// can only be a file, or if nothing is known. Never throws.
std::vector<Candidate> complete(const std::vector<std::string>& words);

}  // namespace bitlab
