#pragma once
// The label of a text, as the built-in task.
#include <memory>

#include "experiments/task.h"

namespace bitlab {

struct ClassificationConfig : Configurable {
  std::string teacher;  // folder of a run, or arm:NAME; empty: none
  double teacher_weight = 1;
  double temperature = 2;
  RelationSettings relations;
  double hidden_weight = 0;  // of the teacher's hidden states; 0: off

  // Whether the teacher tells more than logits, which are asked for once: then it is asked in every
  // step.
  TeacherStates states() const;
  Distillation distillation() const { return {teacher_weight, temperature}; }
  bool learns_states() const { return relations.weight > 0 || hidden_weight > 0; }
  void fields(FieldVisitor& v) override;
};

// The settings of a spec that learns from a teacher; else null.
const ClassificationConfig* distilled(const TaskConfig& task);

// Training goes through the texts as TextOrder has it. Texts have their own lengths: there is no
// padding. With a teacher the loss of a text also has the divergence from the teacher's
// probabilities (core/ops/distillation.h); with relations.weight also that from relations of its
// attention (core/ops/relations.h), with hidden_weight the distance from what its blocks give
// (core/ops/hidden_states.h).
class ClassificationTask : public Task {
 public:
  // context.labelled must be there.
  ClassificationTask(const TaskContext& context,
                     const EvalConfig& eval,
                     const ClassificationConfig& config);

  BatchSource train_batches() const override;

  // Val: the texts of test. Which of them, and of train: judged_texts(). With predictions. Same
  // bits for any team.
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const override;

 private:
  const LabelledDataset& data_;
  EvalConfig eval_;
  ClassificationConfig config_;
  Teachers teachers_;
  std::size_t batch_size_, step_size_;
  std::uint64_t seed_;
};

// The model's logits for each of these texts, in their order.
std::vector<std::vector<float>> label_logits(
    const LanguageModel& model,
    const std::vector<std::span<const std::int32_t>>& texts,
    ThreadTeam& team);

// Softmax of them.
std::vector<std::vector<double>> label_probabilities(
    const LanguageModel& model,
    const std::vector<std::span<const std::int32_t>>& texts,
    ThreadTeam& team);

}  // namespace bitlab
