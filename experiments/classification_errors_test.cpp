// Settings, sources and labels of classification that do not fit.
#include "core/data/sources.h"
#include "experiments/dataset.h"
#include "experiments/plan_test.h"
#include "experiments/planning.h"
#include "experiments/task.h"
#include "experiments/test_runs.h"
#include "experiments/toy_encoder.h"
#include "experiments/toy_reviews.h"

namespace bitlab {

TEST_CASE("settings of classification that do not go together are refused",
          "[classification][errors]") {
  const TestFolder folder;
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string config = toy_config(folder);
    config.replace(config.find(from), from.size(), to);
    return error_of([&] { load_run_spec(make_run(folder, "bad", config) / "config.toml"); });
  };
  CHECK(refusal("name = \"classification\"", "name = \"language\"").find("classification") !=
        std::string::npos);
  CHECK(refusal("max_length = 24", "max_length = 25").find("data.max_length = 25") !=
        std::string::npos);
  CHECK(refusal("name = \"bert\"\nn_layer", "name = \"gpt\"\nn_layer").find("whole texts") !=
        std::string::npos);
  Spec spec = spec_of(folder);
  spec.data.train_samples = 400;
  CHECK(error_of([&] { open_dataset(spec.data); }).find("data.train_samples") != std::string::npos);
  spec.data.train_samples = 0;
  spec.data.tokenizer = "char";
  spec.data.tokenizer_settings = nullptr;
  CHECK(error_of([&] { open_dataset(spec.data); }).find("bert-uncased") != std::string::npos);
}

TEST_CASE("sources that are labelled wrongly, or lack a split, are refused",
          "[classification][errors]") {
  const TestFolder folder;
  Spec spec = spec_of(folder);
  const auto refusal = [&](const std::string& name, std::int64_t label, bool test) {
    Source source = data_sources().at("toy-reviews");
    source.name = name;
    source.read_labelled = [=](const FetchedSource&, const LabelledTextSink& sink) {
      for (std::int64_t i = 0; i < 4; ++i)
        sink({test && i > 1 ? LabelledSplit::Test : LabelledSplit::Train, i == 3 ? label : 0, "a"});
    };
    if (!data_sources().contains(name)) data_sources().add(name, source);
    spec.data.sources = {name};
    spec.data.train_samples = spec.data.test_samples = 0;
    return error_of([&] { open_dataset(spec.data); });
  };
  CHECK_THAT(refusal("toy-two", 2, true),
             Catch::Contains("from 0 to 1") && Catch::Contains("has 2"));
  CHECK_THAT(refusal("toy-below", -1, true), Catch::Contains("has -1"));
  CHECK_THAT(refusal("toy-untested", 1, false), Catch::Contains("texts of the split test"));
  CHECK(refusal("toy-right", 1, true).empty());
  // A model that tells fewer apart, found while planning and by the task itself.
  Source three = data_sources().at("toy-reviews");
  three.name = "toy-three";
  three.labels = {"bad", "good", "so-so"};
  if (!data_sources().contains(three.name)) data_sources().add(three.name, three);
  std::string toml = replaced(toy_config(folder), "toy-reviews", three.name);
  toml = replaced(replaced(toml, "train_samples = 200", "train_samples = 0"), "test_samples = 60",
                  "test_samples = 0");
  const Project project(toml);
  const Experiment experiment = project.load();
  const Dataset of_three = open_dataset(experiment.spec().data);
  CHECK_THAT(error_of([&] { make_plan(experiment, of_three, folder / "results", ""); }),
             Catch::Contains("[model.labels] must be at least the 3 of toy-three, but is 2"));
  const Dataset data = open_dataset(spec_of(folder).data);
  auto config = toy_encoder(1, 8, 2);
  config.labels = 1;
  const LanguageModel single(build_bert(config, 13), 1, 24, 1);
  ThreadTeam team(1);
  CHECK_THAT(
      error_of([&] { make_task(spec_of(folder), data, 5)->evaluate(single, Split::Val, team); }),
      Catch::Contains("model.labels"));
}

}  // namespace bitlab
