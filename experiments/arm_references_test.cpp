// Arms that begin with what another experiment left.
#include "experiments/arm_references.h"

#include <fstream>

#include "experiments/bench_train.h"
#include "experiments/dataset.h"
#include "experiments/plan_test.h"
#include "experiments/planning.h"
#include "experiments/pretrained.h"
#include "experiments/run_folder.h"
#include "experiments/toy_reviews.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

// Experiment x is fine-tuned from the arm "bits" of y.
struct World {
  TestFolder folder;
  Project project;
  fs::path results = folder / "results";

  explicit World(const std::string& other,
                 const std::string& reference = "experiment:y/bits",
                 const std::string& seeds = "seeds = [5]\n")
      : project(seeds + toy_config(folder) + "\n[arms.fresh]\n[arms.tuned]\nmodel.pretrained = \"" +
                reference + "\"\nmodel.vocab_size = 13\n") {
    put("y", other);
  }
  void put(const std::string& name, const std::string& toml) const {
    std::ofstream(project.home() / "configs" / "experiments" / (name + ".toml")) << toml;
  }
  Plan plan() const {
    const Experiment x = project.load();
    return make_plan(x, open_dataset(x.spec().data), results / "x", "");
  }
  std::string refusal() const {
    return error_of([&] { plan(); });
  }
};

std::string other_toml(const TestFolder& folder, const std::string& more = "") {
  return "seeds = [5]\n" + masked_config(folder) +
         "\n[arms.full]\nmodel.linear = \"full\"\n[arms.bits]\n" + more;
}

const PlannedArm& arm_of(const Plan& plan, const std::string& name) {
  for (const PlannedArm& arm : plan.arms)
    if (arm.name == name) return arm;
  throw Error("test", "no arm " + name);
}

void says(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("an arm begins with the run of another experiment's arm with the same seed",
          "[arms][references]") {
  const TestFolder vocabulary_folder;
  const World world(other_toml(vocabulary_folder));
  const Experiment x = world.project.load();
  const Plan plan = world.plan();
  REQUIRE(plan.others.count("y/bits") == 1);
  const OtherArm& other = plan.others.at("y/bits");
  CHECK(other.dir == world.results / "y" / ("bits-" + other.hash));
  CHECK(other.seeds == std::vector<std::int64_t>{5});
  for (const PlannedArm& arm : plan.arms) CHECK(arm.needs.empty());  // of this plan
  const std::vector<OtherRuns> missing = missing_other_runs(x.arms, plan, plan.runs());
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].command() == "bitlab run y --arm bits seed=5");
  CHECK(error_of([&] {
          const std::vector<Arm>& arms = x.arms;
          bench_train(arms[1], open_dataset(x.spec().data), {.steps = 1, .threads = 1});
        }).empty());  // the weights change no speed

  const Experiment y = load_experiment("y", {}, world.project.home());
  const Plan of_y = make_plan(y, open_dataset(y.spec().data), world.results / "y", "");
  CHECK(arm_of(of_y, "bits").hash == other.hash);
  for (std::size_t i = 0; i < of_y.arms.size(); ++i)
    write_file_atomic(world.results / "y" / of_y.arms[i].dir / "seed-5" / "config.toml",
                      run_config(y.arms[i]));
  const fs::path first = other.dir / "seed-5";
  REQUIRE(wait_for(start_worker(first, 1)) == 0);
  CHECK(missing_other_runs(x.arms, plan, plan.runs()).empty());

  const fs::path tuned = world.results / "x" / arm_of(plan, "tuned").dir / "seed-5";
  write_file_atomic(tuned / "config.toml",
                    run_config(x.arms[1], with_run_folders(x.arms[1], plan, 5)));
  const Spec spec = load_run_spec(tuned / "config.toml");
  CHECK(pretrained_name(spec) == fs::absolute(first).lexically_normal().string());
  CHECK(wait_for(start_worker(tuned, 1)) == 0);

  // Another beginning makes another run; what is not named does not matter.
  world.put("y", other_toml(vocabulary_folder, "optim.lr = 1e-3\n"));
  CHECK(arm_of(world.plan(), "tuned").hash != arm_of(plan, "tuned").hash);
  CHECK(arm_of(world.plan(), "fresh").hash == arm_of(plan, "fresh").hash);
}

TEST_CASE("references to other experiments that lead nowhere are refused",
          "[arms][references][errors]") {
  const TestFolder folder;
  says(World(other_toml(folder), "experiment:z/bits").refusal(), "must be a .toml file or one of");
  says(World(other_toml(folder), "experiment:y/none").refusal(), "'none' is none of full, bits");
  for (const char* wrong : {"experiment:y", "experiment:/bits", "experiment:y/"})
    says(World(other_toml(folder), wrong).refusal(), "write experiment:NAME/ARM");
  says(World(other_toml(folder) + "\n[sweep]\noptim.lr = [1e-3, 2e-3]\n").refusal(), "swept");
  says(World(other_toml(folder,
                        "model.pretrained = \"experiment:x/tuned\"\n"
                        "model.vocab_size = 13\n"))
           .refusal(),
       "must not need itself");
  const World seeds(other_toml(folder), "experiment:y/bits", "seeds = [5, 6]\n");
  const Plan plan = seeds.plan();
  fs::create_directories(plan.others.at("y/bits").dir / "seed-5");
  RunFolder(plan.others.at("y/bits").dir / "seed-5").mark_done();
  says(error_of([&] { missing_other_runs(seeds.project.load().arms, plan, plan.runs()); }),
       "y/bits with seed 6 is none of its seeds");
}

TEST_CASE("a teacher that a folder names enters the id by its weights, not by the folder's name",
          "[arms][references]") {
  const TestFolder folder;
  const auto taught = [&](const std::string& name, const std::string& lr) {
    const fs::path run =
        make_run(folder, name, replaced(toy_config(folder), "lr = 5e-3", "lr = " + lr));
    REQUIRE(wait_for(start_worker(run, 1)) == 0);
    return run;
  };
  const fs::path one = taught("one", "5e-3"), other = taught("other", "4e-3");
  fs::copy(one, folder / "copy", fs::copy_options::recursive);
  const auto hash = [&](const fs::path& teacher) {
    const Project project(toy_config(folder) + "[task.classification]\nteacher = \"" +
                          teacher.string() + "\"\n");
    const Experiment x = project.load();
    return make_plan(x, open_dataset(x.spec().data), folder / "results", "").arms.front().hash;
  };
  CHECK(hash(one) == hash(folder / "copy"));
  CHECK(hash(one) != hash(other));
  says(error_of([&] { hash(folder / "none"); }), "there is no such folder");
  make_run(folder, "unfinished", toy_config(folder));
  says(error_of([&] { hash(folder / "unfinished"); }), "let that run finish first");
}

TEST_CASE("a step that needs a teacher which is an arm's is timed without it",
          "[arms][references]") {
  const TestFolder folder;
  const Project project(
      toy_config(folder) +
      "\n[arms.full]\n[arms.student]\ntask.classification.teacher = \"arm:full\"\n" +
      "task.classification.hidden_weight = 1.0\n");
  const Experiment x = project.load();
  const TrainBench bench =
      bench_train(x.arms[1], open_dataset(x.spec().data), {.steps = 1, .threads = 1, .plan = true});
  CHECK(bench.tokens_per_s > 0);
  CHECK(bench.plan->planned_ms > 0);
}

}  // namespace bitlab
