#pragma once
// One arm against another, seed by seed.
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

Summary final_losses(const ArmResult& arm);  // validation, over the seeds that are done

// One sentence: the mean difference of the final losses with its interval, and what it means.
std::string compare_arms(const Results& results, const ArmResult& baseline, const ArmResult& other);

std::string loss_unit(const Results& results);                // "nats/character"
std::string counted(std::size_t n, const std::string& noun);  // "3 seeds"

}  // namespace bitlab
