#pragma once
// What the experiment says, in words that claim no more than its seeds can carry.
#include <string>

#include "report/results.h"

namespace bitlab {

// One paragraph a line, ending with a newline:
//   for each arm but the baseline, one sentence: the paired difference of final validation loss
//   over the seeds that both have done, its 95 % interval, and what follows; perplexity is
//   exp(loss); what is unfinished or failed, if anything; the n-gram losses around the baseline, if
//   there are any; which data was used.
std::string verdict(const Results& results);

// The same without the claims, for a page that shows them in a way of its own.
std::string verdict_without_claims(const Results& results);

}  // namespace bitlab
