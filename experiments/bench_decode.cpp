#include "experiments/bench_decode.h"

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "experiments/bench_timing.h"
#include "experiments/dataset.h"
#include "layers/kv_cache.h"

namespace bitlab {

namespace {

constexpr double kReadSeconds = 0.5;

// One sequence that grows by the likeliest token.
class Decoder {
 public:
  Decoder(const LanguageModel& model, std::size_t capacity)
      : model_(model), cache_(model.net(), 1, capacity) {
    pass_.batch = 1;
    pass_.cache = &cache_;
    pass_.last_only = true;
  }

  void feed(const std::vector<std::int32_t>& tokens) {
    pass_.seq_len = tokens.size();
    pass_.tokens = tokens.data();
    const View z = model_.logits(pass_);
    next_[0] = static_cast<std::int32_t>(std::max_element(z.data, z.data + z.cols) - z.data);
  }

  // Seconds of each of the next tokens.
  std::vector<double> go_on(std::int64_t tokens) {
    std::vector<double> seconds;
    for (std::int64_t i = 0; i < tokens; ++i) {
      const auto begin = Clock::now();
      feed(next_);
      seconds.push_back(seconds_since(begin));
    }
    return seconds;
  }

  std::size_t cache_bytes_per_token() const { return cache_.bytes_per_token(); }

 private:
  const LanguageModel& model_;
  KvCache cache_;
  Pass pass_;
  std::vector<std::int32_t> next_ = {0};
};

double weight_bytes(const LanguageModel& model) {
  const auto ternary = static_cast<double>(model.params().ternary_size());
  return 4 * (model.net().macs_per_row(0) - ternary) + ternary / 4;
}

}  // namespace

std::vector<double> measure_read_bandwidth(double seconds) {
  constexpr std::size_t kValues = std::size_t{64} << 20, kSums = 128;
  const Tensor<1> values = make_zeros(kValues);
  real sums[kSums] = {};
  std::vector<double> speeds;
  for (const auto begin = Clock::now(); seconds_since(begin) < seconds;) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < kValues; i += kSums)
#pragma omp simd
      for (std::size_t j = 0; j < kSums; ++j) sums[j] += values.data()[i + j];
    speeds.push_back(static_cast<double>(sizeof(real) * kValues) / seconds_since(start) / 1e9);
  }
  volatile real kept = 0;  // so that the loop is not dropped
  for (const real sum : sums) kept = kept + sum;
  return speeds;
}

DecodeBench bench_decode(const Arm& arm,
                         std::size_t vocab_size,
                         const DecodeBenchOptions& options) {
  DecodeBench result;
  result.arm = arm.name;
  const std::int64_t runs = options.profile ? 2 : 1;
  const auto capacity = static_cast<std::size_t>(options.context + runs * options.tokens);
  if (capacity > arm.spec.seq_len())
    throw UsageError("bench", "context and tokens must fit into model.seq_len = " +
                                  std::to_string(arm.spec.seq_len()) + ", but are " +
                                  std::to_string(capacity));
  const LanguageModel model = build_model(arm.spec, vocab_size, 1);
  std::vector<double> read = measure_read_bandwidth(kReadSeconds);
  Decoder decoder(model, capacity);
  const auto begin = Clock::now();
  decoder.feed(std::vector<std::int32_t>(static_cast<std::size_t>(options.context), 0));
  result.prefill_tokens_per_s = static_cast<double>(options.context) / seconds_since(begin);
  const double seconds = median(decoder.go_on(options.tokens));
  result.ms_per_token = 1e3 * seconds;
  result.tokens_per_s = 1 / seconds;
  result.weight_bytes = weight_bytes(model);
  result.cache_bytes_per_token = static_cast<double>(decoder.cache_bytes_per_token());
  result.gb_per_s = result.weight_bytes / seconds / 1e9;
  for (const double speed : measure_read_bandwidth(kReadSeconds)) read.push_back(speed);
  result.read_gb_per_s = median(read);
  result.share = result.gb_per_s / result.read_gb_per_s;
  if (options.profile) {
    Profiled all = profiled([&] { decoder.go_on(options.tokens); });
    result.profiled_seconds = all.seconds;
    result.kernels = std::move(all.kernels);
  }
  return result;
}

}  // namespace bitlab
