#include "experiments/generate.h"

#include <algorithm>
#include <optional>
#include <span>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "layers/kv_cache.h"

namespace bitlab {

namespace {

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

namespace {

// The logits after a text that grows.
class Reader {
 public:
  Reader(const LanguageModel& model, const GenerateOptions& options)
      : model_(model), chunk_(std::max<std::size_t>(1, options.chunk)) {
    pass_.batch = 1;
    pass_.last_only = true;
    if (!options.cache) return;
    cache_.emplace(model.net(), 1, model.seq_len());
    pass_.cache = &*cache_;
  }

  std::span<const real> logits_after(const std::vector<std::int32_t>& tokens) {
    const std::size_t first = window_begin(tokens.size(), model_.seq_len());
    if (!cache_) return pass(tokens, first, tokens.size());
    if (first != first_) cache_->truncate(0);
    first_ = first;
    for (;;) {
      const std::size_t begin = first + cache_->length();
      const std::size_t end = std::min(begin + chunk_, tokens.size());
      const std::span<const real> logits = pass(tokens, begin, end);
      if (end == tokens.size()) return logits;
    }
  }

 private:
  std::span<const real> pass(const std::vector<std::int32_t>& tokens,
                             std::size_t begin,
                             std::size_t end) {
    pass_.seq_len = end - begin;
    pass_.tokens = tokens.data() + begin;
    const View logits = model_.logits(pass_);
    return {logits.row(logits.rows - 1), logits.cols};
  }

  const LanguageModel& model_;
  std::size_t chunk_, first_ = 0;  // first_: of the window that the cache holds
  std::optional<KvCache> cache_;
  Pass pass_;
};

}  // namespace

GenerateStats generate(const LanguageModel& model,
                       std::vector<std::int32_t> tokens,
                       const GenerateOptions& options,
                       const std::function<bool(std::int32_t)>& emit) {
  if (tokens.empty()) throw Error("generate", "must begin with a token, but got none");
  check(options.sampling);
  GenerateStats stats;
  stats.prompt_tokens = tokens.size();
  Reader reader(model, options);
  Clock::time_point begin = Clock::now();
  while (stats.new_tokens < options.max_tokens) {
    std::span<const real> logits = reader.logits_after(tokens);
    if (stats.new_tokens == 0) {
      stats.prefill_seconds = seconds_since(begin);
      begin = Clock::now();
    }
    if (options.vocab_size > 0 && options.vocab_size < logits.size())
      logits = logits.first(options.vocab_size);
    const std::int32_t next = sample_token(logits, options.sampling, tokens, stats.new_tokens);
    if (std::count(options.end_tokens.begin(), options.end_tokens.end(), next) > 0) break;
    tokens.push_back(next);
    ++stats.new_tokens;
    if (!emit(next)) break;
  }
  if (stats.new_tokens > 0) stats.decode_seconds = seconds_since(begin);
  return stats;
}

}  // namespace bitlab
