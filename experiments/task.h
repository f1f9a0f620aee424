#pragma once
// What a model learns and how it is judged: the plugin point `task`.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/registry.h"
#include "core/base/thread_team.h"
#include "core/config/fields.h"
#include "core/data/lm_dataset.h"
#include "core/io/metrics.h"
#include "core/text/tokenizer.h"
#include "experiments/labelled_dataset.h"
#include "experiments/teacher.h"
#include "experiments/train_step.h"
#include "experiments/trainer_config.h"
#include "layers/models/model.h"

namespace bitlab {

enum class Split { Train, Val };

struct Evaluation {
  double loss = 0;            // mean cross-entropy, nats a token, or a text that is classified
  double standard_error = 0;  // of that mean, over sequences: tokens of one are not independent
  std::int64_t tokens = 0;    // judged, or texts; 0 if the split is not evaluated
  std::vector<PredictionRow> predictions = {};  // of texts that are classified
};

class Task {
 public:
  virtual ~Task() = default;

  // Called once a run. What comes back may be called from several threads at once; the rows of a
  // step must depend on the seed, the step and their number only.
  virtual BatchSource train_batches() const = 0;

  // Same bits for any team. What takes long calls team.give_up_if_stopped() now and then: nothing
  // is told of an evaluation that throws Stopped, and it is done anew when the run goes on.
  virtual Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const = 0;
};

// Fills `count` sequences from the `first` on; targets below 0 count nothing.
using SequenceSource = std::function<void(
    std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets)>;

// The loss over sequences 0 .. sequences - 1: what most tasks evaluate by.
Evaluation evaluate_sequences(const LanguageModel& model,
                              const SequenceSource& source,
                              std::size_t sequences,
                              std::size_t seq_len,
                              ThreadTeam& team);

// The same over all windows of a split.
Evaluation evaluate_windows(const LanguageModel& model,
                            const Windows& windows,
                            std::size_t seq_len,
                            ThreadTeam& team);

// The mean of losses over all their targets; its standard error from the residuals of the sequences
// (a ratio estimator). loss: the sum of each sequence, targets: their number.
Evaluation mean_of(const std::vector<double>& loss, const std::vector<std::int64_t>& targets);

// The model of a trained run, and which of its states are to be told.
using Teachers = std::function<std::shared_ptr<const Teacher>(const std::string& run,
                                                              const TeacherStates& states)>;

struct TaskContext {
  const LmDataset& data;  // outlives the task
  std::size_t vocab_size = 0, seq_len = 0;
  std::size_t batch_size = 0;  // sequences of a micro-batch
  std::uint64_t seed = 1;
  std::size_t step_size = 0;  // sequences of a step
  Teachers teacher = {};
  const LabelledDataset* labelled = nullptr;  // of a source of whole texts; outlives the task
  const Tokenizer* tokenizer = nullptr;       // outlives the task
};

struct TaskConfig : Configurable {
  std::string name = "language";
  std::shared_ptr<Configurable> settings;  // the task's own, in the table task.NAME

  void fields(FieldVisitor& v) override;
};

struct TaskPlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<std::unique_ptr<Task>(
      const TaskContext& context, const EvalConfig& eval, const Configurable& config)>
      make = {};
};

//   language        the next token of a text
//   classification  the label of a text
//   masked-lm       the masked tokens of a text
Registry<TaskPlugin>& tasks();

}  // namespace bitlab
