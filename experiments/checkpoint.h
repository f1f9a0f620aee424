#pragma once
// Checkpoints of a run: ckpt/step_XXXXXXXX/ with
//   model.safetensors      every parameter by name (latent weights, fp32)
//   optimizer.safetensors  the optimiser's state, e.g. adamw.m, adamw.v (flat, in the order of the
//                          parameters); codes.NAME: the ternary codes that flips are counted
//                          against
//   trainer.json           step, seconds, and the running means of the log
//   config.json            what the model is: settings, vocabulary, where it came from
//   DONE                   written last, after the files were opened again and compared with memory
// A folder without DONE is no checkpoint.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "experiments/optimizer.h"
#include "experiments/stored_param.h"
#include "layers/models/model.h"

namespace bitlab {

// What training needs beside weights and optimiser to go on as if it had never stopped.
struct TrainerState {
  std::int64_t step = 0;  // optimiser steps done
  double first_loss = 0;  // of step 0, what divergence is measured against
  double loss_sum = 0;    // over the steps since the last log row
  std::int64_t loss_count = 0;
  double train_seconds = 0;
  std::int64_t tokens = 0;      // seen so far
  bool evaluation_due = false;  // of this step: a stop came before its end
};

// Ternary codes by parameter name.
using TernaryCodes = std::map<std::string, std::vector<std::int8_t>>;

// Writes run_dir/ckpt/step_XXXXXXXX and returns it. Throws Error if the disk refuses; older
// checkpoints stay.
std::filesystem::path save_checkpoint(const std::filesystem::path& run_dir,
                                      LanguageModel& model,
                                      Optimizer& optimizer,
                                      const TrainerState& state,
                                      const TernaryCodes& codes,
                                      const std::string& config_json);

// Into a checkpoint of the same weights what an evaluation that was due there has changed: nothing
// is due any more, and the codes. The checkpoint counts all the while.
void save_evaluated(const std::filesystem::path& checkpoint,
                    Optimizer& optimizer,
                    const TrainerState& state,
                    const TernaryCodes& codes);

// Writes CHECKPOINT/trainer.json.
void write_trainer_state(const std::filesystem::path& checkpoint, const TrainerState& state);

// Complete checkpoints, oldest first.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& run_dir);

// Deletes all but the newest `keep` complete checkpoints, and what a crash left unfinished.
void prune_checkpoints(const std::filesystem::path& run_dir, std::size_t keep);

// All parameters of a model as they are to be written, in this dtype: F32, F16 or BF16.
std::vector<TensorBytes> model_tensors(const LanguageModel& model, DType dtype);

// Fills the model's parameters from CHECKPOINT/model.safetensors; prepare() is left to the caller.
// Throws Error that lists what is missing, unexpected or of another shape.
void load_model(const std::filesystem::path& checkpoint,
                LanguageModel& model,
                Tables tables = Tables::Widened);

// Loads everything; the model is prepared for the next step.
TrainerState load_checkpoint(const std::filesystem::path& checkpoint,
                             LanguageModel& model,
                             Optimizer& optimizer,
                             TernaryCodes& codes);

// The codes that the model's ternary layers hold now.
TernaryCodes current_codes(const LanguageModel& model);

}  // namespace bitlab
