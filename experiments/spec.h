#pragma once
// What to run: the settings of one arm of an experiment.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "experiments/optimizer.h"
#include "experiments/prune.h"
#include "experiments/schedule.h"
#include "experiments/task.h"
#include "experiments/train_observer.h"
#include "experiments/trainer_config.h"
#include "layers/models/registry.h"

namespace bitlab {

struct DataConfig : Configurable {
  std::vector<std::string> sources = {"tinyshakespeare", "synthetic-plays"};
  double val_fraction = 0.1;
  std::string tokenizer = "char";
  std::shared_ptr<Configurable> tokenizer_settings;                      // its own
  std::map<std::string, std::shared_ptr<Configurable>> source_settings;  // of those that have some
  // Of sources of whole texts.
  std::int64_t train_samples = 0, test_samples = 0;  // 0: all
  std::int64_t sample_seed = 42;
  std::int64_t max_length = 512;

  void fields(FieldVisitor& v) override;
  bool whole_texts() const;  // whether the sources are of texts that are read as wholes
  bool labelled() const;     // whether these have labels
};

struct Spec : Configurable {
  std::string title;
  std::string question;
  // What is put to the test, each "CLAIM | TEST", TEST as report/claims.h says; may be empty.
  std::vector<std::string> claims;
  std::vector<std::int64_t> seeds = {1, 2, 3};
  std::string baseline;                // the arm that others are compared with; empty: the first
  std::vector<std::string> plugins;    // shared libraries, absolute paths once it is resolved
  std::vector<std::string> observers;  // beside those of every run
  std::map<std::string, std::shared_ptr<Configurable>> observer_settings;  // observer.NAME
  DataConfig data;
  std::string model_name = "gpt";
  std::unique_ptr<Configurable> model;  // its settings
  OptimConfig optim;
  ScheduleConfig schedule;
  TrainConfig train;
  EvalConfig eval;
  PruneConfig prune;
  TaskConfig task;

  Spec();
  void fields(FieldVisitor& v) override;

  // Those that `observers` names, of one run.
  std::vector<std::unique_ptr<TrainObserver>> make_observers(const ObserverContext& context) const;
  std::size_t seq_len() const { return models().at(model_name).seq_len(*model); }
};

}  // namespace bitlab
