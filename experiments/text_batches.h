#pragma once
// Which texts a training step has, and how whole texts of various lengths are dealt to passes: what
// tasks that read texts as wholes share.
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/base/thread_team.h"
#include "experiments/labelled_dataset.h"
#include "experiments/trainer_config.h"
#include "layers/layer.h"

namespace bitlab {

// 0 .. n - 1 in an order that seed, purpose and epoch decide.
std::vector<std::size_t> shuffled(std::size_t n,
                                  std::uint64_t seed,
                                  const std::string& purpose,
                                  std::uint64_t epoch);

// Training goes through all texts again and again, each time in an order of its own: step s has
// texts s B .. (s + 1) B - 1 of that endless row, whatever the epochs. May be asked by several
// threads at once.
class TextOrder {
 public:
  // `texts` must outlive it. micro_size: texts of a micro-batch, step_size: of a step, B.
  TextOrder(const LabelledTokens& texts,
            std::size_t micro_size,
            std::size_t step_size,
            std::uint64_t seed);

  // The texts of a step.
  std::vector<std::size_t> step(std::uint64_t step);

  // Those of sequences [first, first + count) of the step's batch (BatchSource). A micro-batch is
  // dealt to its shards by length, longest first, to and fro, so that each gets as many texts and
  // about as many tokens.
  std::vector<std::size_t> piece(std::uint64_t step, std::size_t first, std::size_t count);

 private:
  // The order of an epoch; the last two are kept, as a batch may lie in both.
  struct Kept {
    std::uint64_t epoch = 0;
    std::vector<std::size_t> order;
  };
  std::size_t at(std::uint64_t place);

  const LabelledTokens& texts_;
  std::size_t micro_size_, step_size_;
  std::uint64_t seed_;
  std::mutex mutex_;
  Kept kept_[2];
};

// Which texts an evaluation judges, ascending. Of the validation split all of them (eval.protocol =
// "full") or the first eval.batches batches of an order that is the same for all runs; else the
// first eval.train_batches batches of an order that the seed decides.
std::vector<std::size_t> judged_texts(std::size_t texts,
                                      bool val,
                                      const EvalConfig& eval,
                                      std::size_t batch_size,
                                      std::uint64_t seed);

// Tokens of whole texts in one forward pass, at most, unless one text has more.
inline constexpr std::size_t kTokensPerPass = 1024;

// Texts (their indices) for one forward pass each, in the order of their lengths.
std::vector<std::vector<std::size_t>> passes_of(
    const std::vector<std::span<const std::int32_t>>& texts);

// What is done with a pass that is set up for some of the texts: their indices, and their tokens,
// which may still be changed.
using OnPass = std::function<void(
    Pass& pass, const std::vector<std::size_t>& which, std::vector<std::int32_t>& tokens)>;

// Calls `on_pass` for each of passes_of(texts), those of a thread one after another. seq_len: the
// model's. Throws Stopped as the team does.
void for_each_pass(const std::vector<std::span<const std::int32_t>>& texts,
                   std::size_t seq_len,
                   ThreadTeam& team,
                   const OnPass& on_pass);

// Appends a text to those that `tokens` and `begins` hold as Pass has them; both empty: none.
void append_text(std::span<const std::int32_t> text,
                 std::vector<std::int32_t>& tokens,
                 std::vector<std::size_t>& begins);

}  // namespace bitlab
