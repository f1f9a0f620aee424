#include "experiments/generate.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"

namespace bitlab {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double per_second(std::size_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

double GenerateStats::prefill_speed() const { return per_second(prompt_tokens, prefill_seconds); }

// The first new token comes with the prefill.
double GenerateStats::decode_speed() const {
  return new_tokens > 1 ? per_second(new_tokens - 1, decode_seconds) : 0;
}

std::size_t window_begin(std::size_t length, std::size_t seq_len) {
  if (length <= seq_len) return 0;
  const std::size_t quarter = std::max<std::size_t>(1, seq_len / 4);
  return (length - seq_len + quarter - 1) / quarter * quarter;
}

GenerateStats generate(const LanguageModel& model,
                       std::vector<std::int32_t> tokens,
                       const GenerateOptions& options,
                       const std::function<bool(std::int32_t)>& emit) {
  if (tokens.empty()) throw Error("generate", "must begin with a token, but got none");
  check(options.sampling);
  GenerateStats stats;
  stats.prompt_tokens = tokens.size();
  Pass pass;
  pass.batch = 1;
  Clock::time_point begin = Clock::now();
  while (stats.new_tokens < options.max_tokens) {
    const std::size_t first = window_begin(tokens.size(), model.seq_len());
    pass.seq_len = tokens.size() - first;
    pass.tokens = tokens.data() + first;
    const View logits = model.logits(pass);
    if (stats.new_tokens == 0) {
      stats.prefill_seconds = seconds_since(begin);
      begin = Clock::now();
    }
    const std::size_t known =
        options.vocab_size > 0 ? std::min(options.vocab_size, logits.cols) : logits.cols;
    const std::int32_t next = sample_token({logits.row(logits.rows - 1), known}, options.sampling,
                                           tokens, stats.new_tokens);
    if (std::count(options.end_tokens.begin(), options.end_tokens.end(), next) > 0) break;
    tokens.push_back(next);
    ++stats.new_tokens;
    if (!emit(next)) break;
  }
  stats.decode_seconds = stats.prefill_seconds > 0 ? seconds_since(begin) : 0;
  return stats;
}

}  // namespace bitlab
