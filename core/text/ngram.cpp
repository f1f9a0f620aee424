#include "core/text/ngram.h"

#include <cmath>
#include <unordered_map>

#include "core/base/error.h"

namespace bitlab {

namespace {

constexpr double kSmoothing = 0.1;

using Counts = std::unordered_map<std::uint64_t, std::uint32_t>;

// Calls visit(gram) for all grams of `order` tokens, each a number in base vocab_size, the last
// token lowest.
template <class Visit>
void each_gram(std::span<const std::int32_t> tokens,
               std::uint64_t vocab_size,
               int order,
               Visit visit) {
  std::uint64_t top = 1;  // vocab_size^(order - 1)
  for (int i = 1; i < order; ++i) top *= vocab_size;
  std::uint64_t gram = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    gram = gram % top * vocab_size + static_cast<std::uint64_t>(tokens[i]);
    if (i + 1 >= static_cast<std::size_t>(order)) visit(gram);
  }
}

struct Table {
  Counts grams, contexts;

  double loss(std::uint64_t gram, std::uint64_t vocab_size) const {
    const auto count = [](const Counts& counts, std::uint64_t key) {
      const auto found = counts.find(key);
      return found == counts.end() ? 0.0 : static_cast<double>(found->second);
    };
    const double all =
        count(contexts, gram / vocab_size) + kSmoothing * static_cast<double>(vocab_size);
    return std::log(all / (count(grams, gram) + kSmoothing));
  }
};

double mean_loss(const Table& table,
                 std::span<const std::int32_t> tokens,
                 std::uint64_t vocab_size,
                 int order) {
  Counts seen;
  each_gram(tokens, vocab_size, order, [&](std::uint64_t gram) { ++seen[gram]; });
  double sum = 0;
  for (const auto& [gram, count] : seen) sum += count * table.loss(gram, vocab_size);
  return sum / static_cast<double>(tokens.size() - static_cast<std::size_t>(order) + 1);
}

std::string name_of(int order) {
  if (order == 1) return "unigram";
  if (order == 2) return "bigram";
  return order == 3 ? "trigram" : std::to_string(order) + "-gram";
}

}  // namespace

std::vector<NgramLoss> ngram_losses(std::span<const std::int32_t> train,
                                    std::span<const std::int32_t> val,
                                    std::size_t vocab_size,
                                    int max_order) {
  std::uint64_t grams = 1;
  for (int i = 0; i < max_order; ++i) {
    if (__builtin_mul_overflow(grams, std::uint64_t{vocab_size}, &grams))
      throw Error("n-gram", "vocab_size^order must fit in 64 bits, but " +
                                std::to_string(vocab_size) + "^" + std::to_string(max_order) +
                                " does not");
  }
  const auto needed = static_cast<std::size_t>(max_order);
  if (train.size() < needed || val.size() < needed)
    throw Error("n-gram", "each split must have at least " + std::to_string(needed) +
                              " tokens, but has " + std::to_string(train.size()) + " and " +
                              std::to_string(val.size()));
  std::vector<NgramLoss> losses;
  for (int order = 1; order <= max_order; ++order) {
    Table table;
    each_gram(train, vocab_size, order, [&](std::uint64_t gram) { ++table.grams[gram]; });
    for (const auto& [gram, count] : table.grams) table.contexts[gram / vocab_size] += count;
    losses.push_back({name_of(order), order, mean_loss(table, val, vocab_size, order),
                      mean_loss(table, train, vocab_size, order)});
  }
  return losses;
}

}  // namespace bitlab
