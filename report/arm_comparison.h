#pragma once
// One arm against another: seed by seed where seeds are common, by ranks where they are not.
#include <cstdint>
#include <string>
#include <vector>

#include "report/results.h"
#include "report/statistics.h"

namespace bitlab {

// Final validation losses of the seeds that both arms have done.
struct PairedLosses {
  std::vector<double> baseline, other;
  std::vector<std::int64_t> seeds;
};

PairedLosses paired_losses(const ArmResult& baseline, const ArmResult& other);

std::vector<double> final_losses(const ArmResult& arm);  // validation, of the seeds that are done

// Whether two samples are better compared by ranks than pair by pair: fewer than two seeds are
// common, and there are more values than these.
bool compared_by_ranks(std::size_t pairs, std::size_t n_a, std::size_t n_b);

// "Mann-Whitney over 3 and 4 seeds, none common: U = 12 of 12, p = 0.057": the test of a against b
// in words. If no outcome could have given p < 0.05, that is said too.
std::string ranks_text(const MannWhitney& test, std::size_t pairs);

// One sentence: the difference of the final losses, how sure it is, and what it means. Paired over
// the common seeds with a t interval; with fewer than two of them by the Mann-Whitney test.
std::string compare_arms(const Results& results, const ArmResult& baseline, const ArmResult& other);

// A sentence where more than one arm was compared with the baseline; else empty.
std::string many_intervals(const Results& results);

std::string loss_unit(const Results& results);                // "nats/character"
std::string counted(std::size_t n, const std::string& noun);  // "3 seeds"

}  // namespace bitlab
