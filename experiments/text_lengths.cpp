#include "experiments/text_lengths.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace bitlab {

double TextLengths::of_sequence(std::size_t seq_len) const {
  return mean > 0 ? mean : static_cast<double>(seq_len);
}

double TextLengths::in_largest_pass(const TrainConfig& train, std::size_t seq_len) const {
  if (mean <= 0) return static_cast<double>(seq_len);
  const auto passes = static_cast<double>(train.steps * train.accumulate * train.shards);
  const auto texts = static_cast<double>(train.batch_size) / static_cast<double>(train.shards);
  const double quantile =
      boost::math::quantile(boost::math::normal(), std::pow(0.5, 1 / std::max(passes, 1.0)));
  return std::min(mean + quantile * sd / std::sqrt(texts), static_cast<double>(seq_len));
}

}  // namespace bitlab
