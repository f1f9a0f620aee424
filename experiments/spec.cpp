#include "experiments/spec.h"

#include <set>

namespace bitlab {

void DataConfig::fields(FieldVisitor& v) {
  v.field("sources", sources,
          {.help = "data sources in order of preference: the first that can be had is used",
           .hashed = false});  // what was used enters the hash with its content
  v.field("val_fraction", val_fraction,
          {.help = "share of the text, from its end, that validates", .min = 0.001, .max = 0.9});
  v.field("tokenizer", tokenizer, {.help = "how text becomes tokens", .choices = {"char"}});
  v.require(!sources.empty(), "sources", "must name at least one source", "see 'bitlab data list'");
}

Spec::Spec() : model(models().at(model_name).make_config()) {}

void Spec::fields(FieldVisitor& v) {
  v.field("title", title, {.help = "what the experiment is called", .hashed = false});
  v.field("question", question, {.help = "what it is to find out", .hashed = false});
  v.field(
      "claims", claims,
      {.help = "what is put to the test, each 'CLAIM | TEST' (docs/claims.md)", .hashed = false});
  v.field("seeds", seeds, {.help = "one run an arm and seed", .min = 0, .hashed = false});
  v.field("baseline", baseline,
          {.help = "the arm that the others are compared with", .hashed = false});
  v.require(
      !seeds.empty() && std::set<std::int64_t>(seeds.begin(), seeds.end()).size() == seeds.size(),
      "seeds", "must hold at least one seed, and none twice", "write seeds = [1, 2, 3]");

  v.begin("data", "what is learned from");
  data.fields(v);
  v.end();

  v.begin("optim", "the optimiser");
  optim.fields(v);
  v.end();
  v.begin("schedule", "learning rate over the steps");
  schedule.fields(v);
  v.end();
  v.begin("train", "the training loop");
  train.fields(v);
  v.end();
  v.begin("eval", "evaluation");
  eval.fields(v);
  v.end();

  v.begin("prune", "early stopping of hopeless runs");
  prune.fields(v);
  v.end();

  v.begin("model", "the model");
  const std::string before = model_name;
  v.field("name", model_name, {.help = "kind of model", .choices = models().names()});
  if (model_name != before) model = models().at(model_name).make_config();
  model->fields(v);
  v.end();
}

}  // namespace bitlab
