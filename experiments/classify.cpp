#include "experiments/classify.h"

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "experiments/classification_task.h"
#include "layers/models/bert.h"

namespace bitlab {

namespace {

std::size_t max_length_of(const LoadedRun& run) {
  const std::size_t positions = run.spec.seq_len();
  if (!run.imported.empty()) return positions;
  return std::min(positions, static_cast<std::size_t>(run.spec.data.max_length));
}

}  // namespace

Classification classify(const LoadedRun& run,
                        const std::vector<std::string>& texts,
                        std::size_t threads) {
  const auto* encoder = dynamic_cast<const BertConfig*>(run.spec.model.get());
  const bool headless = encoder != nullptr && encoder->head != "classifier";
  if (!models().at(run.spec.model_name).whole_texts || headless)
    throw UsageError("classify", "the run's model must be a classifier, but is not",
                     "one is trained with task.name = \"classification\"");
  Classification result;
  result.labels = run.labels;
  for (std::size_t i = result.labels.size(); i < run.model->vocab_size(); ++i)
    result.labels.push_back("label " + std::to_string(i));
  std::vector<std::vector<std::int32_t>> tokens;
  for (const std::string& text : texts)
    tokens.push_back(encode_text(*run.tokenizer, text, max_length_of(run)));
  ThreadTeam team(threads);
  const Clock::time_point begin = Clock::now();
  auto probabilities = label_probabilities(*run.model, {tokens.begin(), tokens.end()}, team);
  result.seconds = seconds_since(begin);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<double>& p = probabilities[i];
    const auto label = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    result.tokens += tokens[i].size();
    result.texts.push_back({label, std::move(p), tokens[i].size()});
  }
  return result;
}

}  // namespace bitlab
