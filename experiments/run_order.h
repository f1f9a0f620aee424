#pragma once
// The order in which the runs of an experiment are planned.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlab {

// Calls visit(arm, seed) for the runs of some arms, seed by seed, without what an arm leaves out
// and without those behind the first `max_runs`; 0: all.
template <class Arms, class Visit>
void for_each_run(const Arms& arms,
                  const std::vector<std::int64_t>& seeds,
                  std::size_t max_runs,
                  const Visit& visit) {
  std::size_t runs = 0;
  for (const std::int64_t seed : seeds)
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
      const auto& left_out = arms[arm].left_out;
      if (std::count(left_out.begin(), left_out.end(), seed) > 0) continue;
      if (max_runs == 0 || runs++ < max_runs) visit(arm, seed);
    }
}

}  // namespace bitlab
