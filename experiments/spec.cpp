#include "experiments/spec.h"

#include <algorithm>
#include <set>

#include "core/config/choice.h"
#include "core/data/sources.h"
#include "core/text/tokenizer.h"

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

bool is_labelled(const std::string& source) {
  return data_sources().contains(source) && data_sources().at(source).read_labelled != nullptr;
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
  if (labelled()) {
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
  const auto of_labelled =
      static_cast<std::size_t>(std::count_if(sources.begin(), sources.end(), is_labelled));
  v.require(of_labelled == 0 || of_labelled == sources.size(), "sources",
            "must all be of labelled texts, or none", "see 'bitlab data list'");
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
  v.require((task.name == "classification") == data.labelled() ||
                (task.name != "classification" && task.name != "language"),
            "name",
            std::string("must be ") + (data.labelled() ? "classification" : "language") +
                " with these data.sources",
            "labelled texts are classified, others are predicted");
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
  v.require(!data.labelled() || static_cast<std::int64_t>(seq_len()) >= data.max_length, "seq_len",
            "must be at least data.max_length = " + std::to_string(data.max_length),
            "a text must fit into the model");
  v.require(task.name != "classification" || models().at(model_name).whole_texts, "name",
            "must be a model of whole texts, such as bert, where task.name = \"classification\"",
            "models that predict the next token learn with task.name = \"language\"");
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
