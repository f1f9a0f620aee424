#include "experiments/spec.h"

#include <algorithm>
#include <set>

#include "core/config/choice.h"
#include "core/data/sources.h"
#include "core/text/tokenizer.h"
#include "experiments/classification_task.h"
#include "layers/models/bert.h"

namespace bitlab {

namespace {

// The settings of the entries that a list names, each in the table named after it.
template <class Entry>
void for_each_entry(FieldVisitor& v,
                    const std::vector<std::string>& names,
                    std::map<std::string, std::shared_ptr<Configurable>>& settings,
                    const Registry<Entry>& registry) {
  for (const std::string& name : names) {
    if (!registry.contains(name)) continue;
    auto& own = settings[name];
    if (!own) own = registry.at(name).make_config();
    own_settings(v, name, *own);
  }
}

bool is_of_whole_texts(const std::string& source) {
  return data_sources().contains(source) && data_sources().at(source).read_labelled != nullptr;
}

bool is_labelled(const std::string& source) {
  return is_of_whole_texts(source) && !data_sources().at(source).labels.empty();
}

// Built-in tasks that learn from such data, as text.
std::string fitting_tasks(const DataConfig& data) {
  if (!data.whole_texts()) return "language";
  return data.labelled() ? "classification or masked-lm" : "masked-lm";
}

bool task_fits(const std::string& task, const DataConfig& data) {
  if (task == "language") return !data.whole_texts();
  if (task == "classification") return data.labelled();
  return task != "masked-lm" || data.whole_texts();  // a plugin's task knows what it can
}

// What task and model say of the head of an encoder.
void require_head(FieldVisitor& v, const std::string& task, const Configurable& model) {
  const auto* bert = dynamic_cast<const BertConfig*>(&model);
  v.require(task != "masked-lm" || bert != nullptr, "name",
            "must be bert where task.name = \"masked-lm\"", "it has a head that finds tokens");
  if (bert == nullptr || (task != "masked-lm" && task != "classification")) return;
  const std::string head = task == "masked-lm" ? "masked-lm" : "classifier";
  v.require(bert->head == head, "head",
            "must be \"" + head + "\" where task.name = \"" + task + "\"", "");
}

// States of a teacher are learned by layers and heads that the model has.
void require_states(FieldVisitor& v, const ClassificationConfig& task, const BertConfig* bert) {
  v.require(task.hidden_weight <= 0 || bert != nullptr, "name",
            "must be bert where task.classification.hidden_weight is not 0",
            "hidden states are learned by encoders alone");
  if (task.relations.weight <= 0) return;
  v.require(bert != nullptr, "name",
            "must be bert where task.classification.relation_weight is not 0",
            "other models have no attention");
  if (bert == nullptr) return;
  v.require(task.relations.layer < bert->n_layer, "n_layer",
            "must be more than task.classification.relation_layer = " +
                std::to_string(task.relations.layer),
            "layers are counted from 0; -1 is the last");
  v.require(task.relations.heads == 0 || bert->d_model % task.relations.heads == 0, "d_model",
            "must be a multiple of task.classification.relation_heads = " +
                std::to_string(task.relations.heads),
            "0 takes as many heads as attention has");
}

}  // namespace

void DataConfig::fields(FieldVisitor& v) {
  v.field("sources", sources,
          {.help = "data sources in order of preference: the first that can be had is used",
           .hashed = false,  // what was used enters the hash with its content
           .registry = data_sources().kind()});
  v.field("val_fraction", val_fraction,
          {.help = "share of the text, from its end, that validates, unless the source has its own",
           .min = 0.001,
           .max = 0.9});
  for_each_entry(v, sources, source_settings, data_sources());
  if (whole_texts()) {
    v.field("train_samples", train_samples,
            {.help = "texts to train on, as many of each label; 0 for all", .min = 0});
    v.field("test_samples", test_samples,
            {.help = "texts to be judged by, as many of each label; 0 for all", .min = 0});
    v.field("sample_seed", sample_seed, {.help = "which texts these are", .min = 0});
    v.field("max_length", max_length,
            {.help = "tokens of a text, with those around it; what is longer is cut", .min = 3});
  }
  choice_field(v, "tokenizer", tokenizer, tokenizer_settings, tokenizers(),
               "how text becomes tokens");
  v.require(!sources.empty(), "sources", "must name at least one source", "see 'bitlab data list'");
  const auto all_or_none = [&](bool (*is)(const std::string&)) {
    const auto count = static_cast<std::size_t>(std::count_if(sources.begin(), sources.end(), is));
    return count == 0 || count == sources.size();
  };
  v.require(all_or_none(is_of_whole_texts) && all_or_none(is_labelled), "sources",
            "must all be of labelled texts, all of whole texts without labels, or all others",
            "see 'bitlab data list'");
}

bool DataConfig::whole_texts() const {
  return !sources.empty() && is_of_whole_texts(sources.front());
}

bool DataConfig::labelled() const { return !sources.empty() && is_labelled(sources.front()); }

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

  v.field("plugins", plugins,
          {.help = "shared libraries with plugins, relative to the file that names them",
           .hashed = false});  // what a run uses of them enters its hash
  v.field("observers", observers,
          {.help = "observers beside those of every run",
           .hashed = false,
           .registry = bitlab::observers().kind()});
  for (const std::string& name : observers)
    v.require(bitlab::observers().contains(name), "observers",
              "must name observers, but '" + name + "' is none",
              "'bitlab plugins' lists them; a plugin's are there once the plugin is named");
  if (!observers.empty()) {
    v.begin("observer", "settings of the observers");
    for_each_entry(v, observers, observer_settings, bitlab::observers());
    v.end();
  }

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
  v.begin("task", "what is learned");
  task.fields(v);
  v.require(task_fits(task.name, data), "name",
            "must be " + fitting_tasks(data) + " with these data.sources",
            "labelled texts are classified, tokens of whole texts are masked, other texts are "
            "predicted");
  v.end();

  v.begin("prune", "early stopping of hopeless runs");
  prune.fields(v);
  v.end();

  v.begin("model", "the model");
  const std::string before = model_name;
  v.field("name", model_name,
          {.help = "kind of model", .choices = models().names(), .registry = models().kind()});
  if (model_name != before) model = models().at(model_name).make_config();
  model->fields(v);
  v.require(!data.whole_texts() || static_cast<std::int64_t>(seq_len()) >= data.max_length,
            "seq_len", "must be at least data.max_length = " + std::to_string(data.max_length),
            "a text must fit into the model");
  v.require(task.name != "classification" || models().at(model_name).whole_texts, "name",
            "must be a model of whole texts, such as bert, where task.name = \"classification\"",
            "models that predict the next token learn with task.name = \"language\"");
  require_head(v, task.name, *model);
  if (const auto* settings = dynamic_cast<const ClassificationConfig*>(task.settings.get()))
    require_states(v, *settings, dynamic_cast<const BertConfig*>(model.get()));
  v.end();
}

std::vector<std::unique_ptr<TrainObserver>> Spec::make_observers(
    const ObserverContext& context) const {
  std::vector<std::unique_ptr<TrainObserver>> made;
  for (const std::string& name : observers)
    made.push_back(bitlab::observers().at(name).make(context, *observer_settings.at(name)));
  return made;
}

}  // namespace bitlab
