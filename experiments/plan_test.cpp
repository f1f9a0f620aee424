#include "experiments/plan.h"

#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "experiments/plan_test.h"
#include "layers/models/gpt.h"
#include "layers/params.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTwoArms = R"(
title = "two"
seeds = [3, 5]
baseline = "b"
[model]
linear = "full"
bitlinear.norm = "none"
[arms.b]
[arms.a]
optim.lr = 2e-3
model.linear = "bitlinear"
)";

const GptConfig& gpt(const Arm& arm) { return dynamic_cast<const GptConfig&>(*arm.spec.model); }

std::size_t parameters(const Arm& arm) {
  const LayerPtr net = models().at(arm.spec.model_name).build(*arm.spec.model, 65);
  return ParamStore(*net).size();
}

TEST_CASE("babygpt-vs-babybitnet is the experiment of the seed", "[plan]") {
  const Experiment e = load_experiment("babygpt-vs-babybitnet", {}, source_dir());
  REQUIRE(e.arms.size() == 2);
  CHECK(e.name == "babygpt-vs-babybitnet");
  CHECK(e.baseline() == "babyGPT");
  CHECK(e.spec().seeds == std::vector<std::int64_t>{1, 2, 3});
  for (const Arm& arm : e.arms) {
    const GptConfig& model = gpt(arm);
    CHECK(model.n_layer == 4);
    CHECK(model.n_head == 4);
    CHECK(model.d_model == 64);
    CHECK(model.seq_len == 32);
    CHECK(model.norm == "rmsnorm");
    CHECK(static_cast<float>(model.norm_eps) == 1.1920929e-7f);
    CHECK(model.activation == "relu");
    CHECK(model.attention_scale == "n_embd");
    CHECK(model.init_std == 0.02);
    CHECK(model.dropout == 0);
    CHECK_FALSE(model.qkv_bias);
    CHECK(model.head_bias);
    CHECK(arm.spec.train.steps == 5000);
    CHECK(arm.spec.train.batch_size == 16);
    CHECK(arm.spec.optim.weight_decay == 0.01);
    CHECK(arm.spec.optim.beta1 == 0.9);
    CHECK(arm.spec.optim.beta2 == 0.999);
    CHECK(arm.spec.optim.clip == 0);
    CHECK(arm.spec.optim.decay == "all");
    CHECK(arm.spec.schedule.name == "constant");
    CHECK(arm.spec.schedule.warmup_steps == 0);
    CHECK(arm.spec.data.val_fraction == 0.1);
  }
  CHECK(e.arms[0].name == "babyGPT");
  CHECK(e.arms[0].spec.optim.lr == 1e-3);
  CHECK(gpt(e.arms[0]).linear == "full");
  CHECK(parameters(e.arms[0]) == 209153);
  CHECK(e.arms[1].name == "babyBitNet");
  CHECK(e.arms[1].spec.optim.lr == 9e-4);
  CHECK(gpt(e.arms[1]).linear == "bitlinear");
  CHECK(parameters(e.arms[1]) == 207617);
}

TEST_CASE("the two larger sizes have an arm full and an arm bitlinear", "[plan]") {
  struct Size {
    const char* name;
    std::int64_t n_layer, n_head, d_model, seq_len, batch_size;
  };
  for (const Size& size :
       {Size{"nanogpt-cpu", 4, 4, 128, 64, 12}, Size{"gpt-10m", 6, 6, 384, 256, 8}}) {
    const Experiment e = load_experiment(size.name, {}, source_dir());
    REQUIRE(e.arms.size() == 2);
    CHECK(e.arms[0].name == "full");
    CHECK(e.arms[1].name == "bitlinear");
    for (const Arm& arm : e.arms) {
      CHECK(gpt(arm).linear == arm.name);
      CHECK(gpt(arm).n_layer == size.n_layer);
      CHECK(gpt(arm).n_head == size.n_head);
      CHECK(gpt(arm).d_model == size.d_model);
      CHECK(gpt(arm).seq_len == size.seq_len);
      CHECK(arm.spec.train.batch_size == size.batch_size);
    }
  }
}

TEST_CASE(
    "arms keep the order of the file, settings for one kind of layer may stand outside of them",
    "[plan]") {
  const Project project(kTwoArms);
  const Experiment e = project.load({"optim.beta2=0.95"});
  REQUIRE(e.arms.size() == 2);
  CHECK(e.arms[0].name == "b");
  CHECK(e.arms[1].name == "a");
  CHECK(e.arms[0].spec.optim.lr == 1e-3);
  CHECK(e.arms[1].spec.optim.lr == 2e-3);
  CHECK(e.arms[1].spec.optim.beta2 == 0.95);
  CHECK(run_config(e.arms[1]).find("[model.bitlinear]\npreset = \"b158\"") != std::string::npos);
  const std::string norm = run_config(e.arms[1]);
  CHECK(norm.find("norm = \"none\"") != std::string::npos);
}

TEST_CASE("an experiment without arms has one, called main", "[plan]") {
  const Project project("title = \"x\"\n");
  const Experiment e = project.load();
  REQUIRE(e.arms.size() == 1);
  CHECK(e.arms[0].name == "main");
  CHECK(e.baseline() == "main");
}

TEST_CASE("a path to a file names an experiment as well", "[plan]") {
  const Project project(kTwoArms);
  const Experiment e =
      load_experiment((project.home() / "configs/experiments/x.toml").string(), {}, "/");
  CHECK(e.name == "x");
}

TEST_CASE("what arms share cannot differ between them", "[plan]") {
  const Project project("[arms.a]\nseeds = [1]\n[arms.b]\ndata.val_fraction = 0.2\n");
  CHECK(project.error() ==
        "configs/experiments/x.toml:2:1: arm a must not set seeds\n"
        "    2 | seeds = [1]\n"
        "      | ^^^^^\n"
        "    arms are compared on the same data and seeds: set it outside of [arms]\n"
        "configs/experiments/x.toml:4:6: arm b must not set data.val_fraction\n"
        "    4 | data.val_fraction = 0.2\n"
        "      |      ^^^^^^^^^^^^\n"
        "    arms are compared on the same data and seeds: set it outside of [arms]");
}

TEST_CASE("requests for what is not there are refused", "[plan]") {
  const Project project(kTwoArms);
  CHECK(project.error({"baseline=c"}) ==
        "command line: baseline must be one of b, a, but got 'c'\n"
        "    | baseline=c\n"
        "    |          ^");
  CHECK(project.error({}, "y") == "[experiment] must be a .toml file or one of x, but got 'y'");
  CHECK(project.error({"seeds=1,1"}) ==
        "command line: seeds must hold at least one seed, and none twice, but got 1,1\n"
        "    | seeds=1,1\n"
        "    |       ^^^\n"
        "    write seeds = [1, 2, 3]");
  CHECK(
      project.error({"model.linear=ternary"})
          .find(
              "model.linear must be one of bitlinear, full, in_place_ternary, but got 'ternary'") !=
      std::string::npos);
}

TEST_CASE("an arm's id changes with what decides its result and with nothing else", "[plan]") {
  const Project project(kTwoArms);
  const auto id = [&](const std::vector<std::string>& overrides, std::size_t arm = 1) {
    return arm_hash(project.load(overrides).arms[arm], facts());
  };
  const std::string before = id({});
  CHECK(before.size() == 8);
  CHECK(before.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(before != id({}, 0));
  for (const char* same : {"seeds=7", "title=other", "question=why", "baseline=a",
                           "train.log_every=7", "train.checkpoint_every=7", "optim.lr=0.002",
                           "optim.beta1=0.90", "data.sources=elsewhere", "arms.b.optim.lr=0.5"}) {
    INFO(same);
    CHECK(id({same}) == before);
  }
  for (const char* other :
       {"optim.lr=0.0021", "model.n_layer=5", "train.steps=10", "train.shards=2",
        "model.bitlinear.act_quant=none", "schedule.name=cosine", "data.val_fraction=0.2",
        "arms.a.optim.lr=0.5"}) {
    INFO(other);
    CHECK(id({other}) != before);
  }
  DataFacts data = facts();
  data.sha256[5] = 'b';
  CHECK(arm_hash(project.load().arms[1], data) != before);
}

TEST_CASE("published results keep their ids, in a sweep as well", "[plan]") {
  const fs::path published = source_dir() / "results/published/babygpt-vs-babybitnet";
  const auto plan = nlohmann::json::parse(read_file(published / "plan.json"));
  DataFacts data;
  data.source = plan.at("data").at("source");
  data.sha256 = plan.at("data").at("sha256");
  const Experiment e = load_experiment("babygpt-vs-babybitnet", {}, source_dir());
  CHECK(arm_hash(e.arms.at(0), data) == "f2963ed7");
  CHECK(arm_hash(e.arms.at(1), data) == "a636e21d");
  CHECK(fs::exists(published / "babyGPT-f2963ed7"));
  CHECK(fs::exists(published / "babyBitNet-a636e21d"));
  const Experiment swept =
      load_experiment("babygpt-vs-babybitnet", {"optim.lr=9e-4,1e-3"}, source_dir());
  REQUIRE(swept.arms.size() == 4);
  CHECK(arm_hash(swept.arms[1], data) == "f2963ed7");
  CHECK(arm_hash(swept.arms[2], data) == "a636e21d");
}

TEST_CASE("a run's config.toml reads back to the settings that it was written from", "[plan]") {
  const Project project(kTwoArms);
  const Experiment e = project.load({"optim.lr=0.1", "model.init_std=0.0123456789012345678"});
  for (const Arm& arm : e.arms) {
    write_file_atomic(project.home() / "config.toml", run_config(arm));
    Spec back = load_run_spec(project.home() / "config.toml");
    const auto fields = list_fields(back);
    REQUIRE(fields.size() == arm.fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      CHECK(fields[i].path == arm.fields[i].path);
      CHECK(fields[i].toml == arm.fields[i].toml);
    }
  }
}

TEST_CASE("runs go seed by seed, so that pairs end together", "[plan]") {
  Plan plan;
  plan.arms = {{"a", "a", {}, "00000001", "a-00000001"}, {"b", "b", {}, "00000002", "b-00000002"}};
  plan.seeds = {3, 5};
  plan.results = "results/x";
  std::vector<std::string> dirs;
  for (const PlannedRun& run : plan.runs()) dirs.push_back(run.dir.string());
  CHECK(dirs ==
        std::vector<std::string>{"results/x/a-00000001/seed-3", "results/x/b-00000002/seed-3",
                                 "results/x/a-00000001/seed-5", "results/x/b-00000002/seed-5"});
}

TEST_CASE("max_runs takes the first runs of the plan, and leaves arms without a run out",
          "[plan]") {
  const Project project("[sweep]\nmax_runs = 3\n");
  Plan plan;
  plan.max_runs = project.load().max_runs;
  plan.arms = {{"a", "a", {}, "00000001", "a-00000001"},
               {"b", "b", {}, "00000002", "b-00000002"},
               {"c", "c", {}, "00000003", "c-00000003"},
               {"d", "d", {}, "00000004", "d-00000004"}};
  plan.seeds = {3, 5};
  plan.results = project.home() / "results/x";
  std::vector<std::string> dirs;
  for (const PlannedRun& run : plan.runs())
    dirs.push_back(run.dir.lexically_relative(plan.results));
  CHECK(dirs ==
        std::vector<std::string>{"a-00000001/seed-3", "b-00000002/seed-3", "c-00000003/seed-3"});
  plan.max_runs = 5;
  write_plan(plan);
  const auto json = nlohmann::json::parse(read_file(plan.results / "plan.json"));
  CHECK(json.at("arms").size() == 4);
  CHECK(json.at("arms").at(0).at("seeds") == nlohmann::json({3, 5}));
  CHECK(json.at("arms").at(1).at("seeds") == nlohmann::json({3}));
  plan.max_runs = 1;
  write_plan(plan);
  CHECK(nlohmann::json::parse(read_file(plan.results / "plan.json")).at("arms").size() == 1);
}

TEST_CASE("plan.json has the keys of docs/run-folder.md", "[plan]") {
  const Project project(kTwoArms);
  Plan plan;
  plan.experiment = "x";
  plan.title = "two";
  plan.command = "bitlab run x";
  plan.baseline = "b";
  plan.data = facts();
  plan.references = {{"bigram", 2.5}};
  plan.claims = {"a needs fewer steps | a < b"};
  plan.arms = {{"b", "b", {}, "0000000b", "b-0000000b", 209153, 0, 5000, 512, 198720, 1.5e6},
               {"a lr=0.001 quant=absmean",
                "a",
                {{"optim.lr", "0.001"}, {"model.quant", "\"absmean\""}},
                "0000000a",
                "a-0000000a",
                207617,
                196608,
                4000,
                256,
                197184,
                2e6,
                1000}};
  plan.seeds = {3, 5};
  plan.results = project.home() / "results" / "x";
  write_plan(plan);
  const auto expected = nlohmann::json::parse(R"({
    "format": 2, "claims": ["a needs fewer steps | a < b"],
    "experiment": "x", "title": "two", "question": "", "command": "bitlab run x",
    "data": {"source": "plays",
              "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
             "bytes": 1000, "train_tokens": 900, "val_tokens": 100, "vocab_size": 65,
              "unit": "character", "tokenizer": "char-12345678", "train_bytes": 900,
              "val_bytes": 100},
    "references": [{"name": "bigram", "loss": 2.5}], "steps": 5000,
     "tokens_per_step": 512, "baseline": "b",
    "arms": [{"name": "b", "arm": "b", "axes": {}, "steps": 5000, "tokens_per_step": 512,
               "flops_per_token": 1.5e6, "hash": "0000000b", "dir": "b-0000000b",
               "params": 209153, "ternary_params": 0, "non_embedding_params": 198720,
              "seeds": [3, 5]},
             {"name": "a lr=0.001 quant=absmean", "arm": "a",
               "axes": {"optim.lr": 0.001, "model.quant": "absmean"},
               "steps": 4000, "tokens_per_step": 256, "flops_per_token": 2e6,
               "hash": "0000000a", "dir": "a-0000000a",
               "params": 207617, "ternary_params": 196608,
               "non_embedding_params": 197184, "settled_step": 1000,
              "seeds": [3, 5]}]})");
  CHECK(nlohmann::json::parse(read_file(plan.results / "plan.json")) == expected);
}

}  // namespace
}  // namespace bitlab
