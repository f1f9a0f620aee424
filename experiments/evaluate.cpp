#include "experiments/evaluate.h"

#include <chrono>
#include <cmath>
#include <mutex>

#include "core/base/error.h"
#include "core/base/thread_team.h"
#include "core/data/sources.h"
#include "core/data/tokenised_corpus.h"
#include "core/io/losses.h"
#include "experiments/dataset.h"
#include "experiments/loaded_run.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct SplitTokens {
  TokenSequence tokens;
  std::uint64_t bytes = 0;
};

bool is_path(const std::string& data) { return data.find('/') != std::string::npos; }

// `all`: whether the whole of the source may be asked for as well, elsewhere.
SplitTokens choose(const LmDataset& data,
                   const std::string& split,
                   const std::string& source,
                   bool all) {
  if (split == "train") return {data.train, data.train_bytes};
  if (split == "val") return {data.val, data.val_bytes};
  if (split == "test" && data.test.size() > 0) return {data.test, data.test_bytes};
  throw UsageError("eval.split", "must be " +
                                     std::string(all                    ? "all, train or val"
                                                 : data.test.size() > 0 ? "train, val or test"
                                                                        : "train or val") +
                                     " of " + source + ", but is '" + split + "'");
}

SplitTokens whole_text(const std::string& path, const Tokenizer& tokenizer) {
  const SourceText text = open_first(std::vector<std::string>{path});
  measure(TextCorpus(path, text.text));  // refuses what is no text
  return {tokenizer.encode(text.text), text.text.size()};
}

SplitTokens own_split(const LoadedRun& run, const EvalRequest& request, EvalReport& report) {
  if (!run.imported.empty())
    throw UsageError("eval", "data must be named for an imported model, but is not",
                     "--data wikitext-2, or a text's path with a '/'");
  const Dataset data = open_dataset(run.spec.data, request.data_progress);
  if (data.tokenizer->id() != run.tokenizer->id())
    throw Error("eval",
                "the run's data must give its tokenizer " + run.tokenizer->id() + ", but gives " +
                    data.tokenizer->id(),
                "the data have changed since it was trained");
  if (!run.data_sha256.empty() && data.facts.sha256 != run.data_sha256)
    throw Error("eval",
                "the run's data must have sha256 " + run.data_sha256 + ", but " +
                    data.facts.source + " has " + data.facts.sha256,
                "the data have changed since it was trained; --data names others");
  report.data = data.facts.source;
  return choose(data.tokens, report.split, report.data, /*all=*/false);
}

SplitTokens open_split(const LoadedRun& run, const EvalRequest& request, EvalReport& report) {
  report.data = request.data;
  report.split = !request.split.empty() ? request.split : is_path(request.data) ? "all" : "val";
  if (request.data.empty()) return own_split(run, request, report);
  if (is_path(request.data) && report.split == "all")
    return whole_text(request.data, *run.tokenizer);
  return choose(open_splits(request.data, run.tokenizer, run.spec.data.val_fraction), report.split,
                request.data, is_path(request.data));
}

// What stands before every text of the model, and then the text.
TokenSequence begun(const LoadedRun& run, const TokenSequence& tokens) {
  if (run.begin_tokens.empty()) return tokens;
  std::vector<std::int32_t> all = run.begin_tokens;
  all.resize(run.begin_tokens.size() + tokens.size());
  tokens.copy(0, tokens.size(), all.data() + run.begin_tokens.size());
  return all;
}

std::size_t stride_of(const EvalRequest& request, std::size_t seq_len) {
  if (request.stride > seq_len)
    throw UsageError("eval.stride", "must be at most the model's seq_len " +
                                        std::to_string(seq_len) + ", but is " +
                                        std::to_string(request.stride));
  return request.stride > 0 ? request.stride : seq_len;
}

Evaluation judge(const LoadedRun& run,
                 const Windows& windows,
                 std::size_t seq_len,
                 const EvalRequest& request) {
  ThreadTeam team(request.threads);
  std::mutex telling;
  std::size_t begun = 0;
  const auto tell = [&](std::size_t done) {
    if (request.progress) request.progress(done, windows.count());
  };
  const auto source = [&](std::size_t first, std::size_t count, std::int32_t* tokens,
                          std::int32_t* targets) {
    windows.fill(first, count, tokens, targets);
    const std::lock_guard<std::mutex> lock(telling);
    tell(begun);  // but for those that other threads are at
    begun += count;
  };
  const Evaluation result = evaluate_sequences(*run.model, source, windows.count(), seq_len, team);
  tell(windows.count());
  return result;
}

}  // namespace

EvalReport evaluate_run(const fs::path& run_dir, const EvalRequest& request) {
  const LoadedRun run = load_run(
      run_dir, request.packed ? LoadWeights::Packed : LoadWeights::Checkpoint, Tables::AsStored);
  require_language_model(run, "bitlab eval");
  EvalReport report;
  report.weights = run.weights;
  report.step = run.step;
  report.unit = run.tokenizer->unit();
  report.seq_len = run.spec.seq_len();
  report.stride = stride_of(request, report.seq_len);
  const SplitTokens split = open_split(run, request, report);
  const Windows windows(begun(run, split.tokens), report.seq_len, report.stride);

  const auto begin = std::chrono::steady_clock::now();
  const Evaluation result = judge(run, windows, report.seq_len, request);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;

  report.tokens = result.tokens;
  report.bytes = split.bytes;
  report.loss = result.loss;
  report.standard_error = result.standard_error;
  report.perplexity = std::exp(result.loss);
  report.bits_per_byte = bits_per_byte(result.loss, static_cast<double>(split.tokens.size()),
                                       static_cast<double>(split.bytes));
  report.seconds = took.count();
  report.tokens_per_s = static_cast<double>(result.tokens) / took.count();
  return report;
}

}  // namespace bitlab
