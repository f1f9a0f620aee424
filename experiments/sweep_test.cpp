#include "experiments/sweep.h"

#include <algorithm>
#include <cmath>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "experiments/plan_test.h"
#include "layers/models/gpt.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArms = R"(
seeds = [3, 5]
[arms.full]
model.linear = "full"
[arms.bit]
model.linear = "bitlinear"
)";

std::vector<std::string> names(const Experiment& experiment) {
  std::vector<std::string> names;
  for (const Arm& arm : experiment.arms) names.push_back(arm.name);
  return names;
}

using Names = std::vector<std::string>;

// The learning rates of an experiment without arms.
std::vector<double> rates(const std::string& sweep,
                          const std::vector<std::string>& overrides = {}) {
  const Project project("[sweep]\n" + sweep);
  std::vector<double> rates;
  for (const Arm& arm : project.load(overrides).arms) rates.push_back(arm.spec.optim.lr);
  return rates;
}

using Rates = std::vector<double>;

TEST_CASE("an axis is a list, a range, or evenly spaced numbers, the same in both places",
          "[sweep]") {
  struct Case {
    std::string toml, word;
    Rates rates;
  };
  for (const Case& c : {Case{"[1e-3, 3e-4]", "1e-3,3e-4", {1e-3, 3e-4}},
                        Case{"\"1e-3, 3e-4\"", "[1e-3, 3e-4]", {1e-3, 3e-4}},
                        Case{"\"0..3\"", "0..3", {0, 1, 2, 3}},
                        Case{"\"lin(0,1)x5\"", "lin(0, 1) x 5", {0, 0.25, 0.5, 0.75, 1}},
                        Case{"\"log(1e-4,1e-1)x4\"", "log(1e-4,1e-1)x4", {1e-4, 1e-3, 1e-2, 1e-1}},
                        Case{"\"log(1e-2,1e-4)x3\"", "log(1e-2,1e-4)x3", {1e-2, 1e-3, 1e-4}},
                        Case{"\"lin(0,1)x2,7\"", "lin(0,1)x2,7", {0, 1, 7}}}) {
    INFO(c.toml);
    CHECK(rates("optim.lr = " + c.toml + "\n") == c.rates);
    CHECK(rates("", {"optim.lr=" + c.word}) == c.rates);
    CHECK(rates("optim.lr = [9e-9]\n", {"sweep.optim.lr=" + c.word}) == c.rates);
  }
}

TEST_CASE("spaced numbers have four digits, and exact ends", "[sweep]") {
  CHECK(rates("optim.lr = \"log(3e-4, 3e-2)x8\"\n") ==
        Rates{3e-4, 0.0005792, 0.001118, 0.002159, 0.004168, 0.008048, 0.01554, 0.03});
  CHECK(rates("optim.lr = \"lin(0.123456, 0.654321)x3\"\n") == Rates{0.123456, 0.3889, 0.654321});
}

TEST_CASE("an integer setting takes the nearest integers", "[sweep]") {
  const Project project("[sweep]\nmodel.d_model = \"log(16,100)x4\"\n");
  std::vector<std::int64_t> widths;
  for (const Arm& arm : project.load({"model.n_head=1"}).arms)
    widths.push_back(dynamic_cast<const GptConfig&>(*arm.spec.model).d_model);
  CHECK(widths == std::vector<std::int64_t>{16, 29, 54, 100});  // 16 (100/16)^(i/3)
}

TEST_CASE("arms x axes x seeds, in the order in which they were written", "[sweep]") {
  const Project project(std::string(kArms) + R"(
[sweep]
schedule.name = ["constant", "cosine"]
optim.lr = "1e-3,2e-3"
seed = "1..3"
)");
  const Experiment e = project.load();
  CHECK(names(e) == Names{"full name=constant lr=0.001", "full name=constant lr=0.002",
                          "full name=cosine lr=0.001", "full name=cosine lr=0.002",
                          "bit name=constant lr=0.001", "bit name=constant lr=0.002",
                          "bit name=cosine lr=0.001", "bit name=cosine lr=0.002"});
  CHECK(e.spec().seeds == std::vector<std::int64_t>{1, 2, 3});
  CHECK(e.baseline() == "full");
  CHECK(e.arm_names() == Names{"full", "bit"});
  const Arm& last = e.arms.back();
  CHECK(last.base == "bit");
  REQUIRE(last.axes.size() == 2);
  CHECK(last.axes[0].path == "schedule.name");
  CHECK(last.axes[0].toml == "\"cosine\"");
  CHECK(last.axes[1].toml == "0.002");
  CHECK(last.spec.schedule.name == "cosine");
  CHECK(last.spec.optim.lr == 2e-3);
}

TEST_CASE("names have as much of a path as it takes to tell axes apart", "[sweep]") {
  const Project project(
      "[sweep]\nmodel.norm = [\"rmsnorm\"]\nmodel.linear = [\"bitlinear\"]\n"
      "model.bitlinear.norm = [\"none\"]\noptim.lr = [1e-5]\n");
  CHECK(names(project.load()) ==
        Names{"main model.norm=rmsnorm linear=bitlinear bitlinear.norm=none lr=1e-05"});
}

TEST_CASE("an axis multiplies only the arms that have the setting", "[sweep]") {
  const Project project(std::string(kArms) +
                        "[sweep]\nmodel.bitlinear.norm = [\"none\", \"rmsnorm\"]\n");
  const Experiment e = project.load();
  CHECK(names(e) == Names{"full", "bit norm=none", "bit norm=rmsnorm"});
  CHECK(e.duplicates == 0);
  // Which settings there are may itself depend on an axis.
  const Experiment own = project.load({"model.linear=full,bitlinear"});
  CHECK(names(own) == Names{"full linear=full", "full norm=none linear=bitlinear",
                            "full norm=rmsnorm linear=bitlinear"});
}

TEST_CASE("the command line has the last word on axes and seeds", "[sweep]") {
  const Project project(std::string(kArms) + "[sweep]\noptim.lr = \"1e-3,2e-3\"\nseeds = [1, 2]\n");
  CHECK(project.load().spec().seeds == std::vector<std::int64_t>{1, 2});
  CHECK(names(project.load({"optim.lr=5e-4"})) == Names{"full", "bit"});
  CHECK(names(project.load({"optim.lr=5e-4,6e-4"})) ==
        Names{"full lr=0.0005", "full lr=0.0006", "bit lr=0.0005", "bit lr=0.0006"});
  CHECK(names(project.load({"arms.full.optim.lr=7e-4"})) ==
        Names{"full", "bit lr=0.001", "bit lr=0.002"});
  CHECK(project.load({"arms.full.optim.lr=7e-4"}).arms[0].spec.optim.lr == 7e-4);
  for (const auto& [word, seeds] :
       std::map<std::string, std::vector<std::int64_t>>{{"seed=0..2", {0, 1, 2}},
                                                        {"seeds=0..2", {0, 1, 2}},
                                                        {"seed=7", {7}},
                                                        {"sweep.seed=4,9", {4, 9}},
                                                        {"seeds=4,9", {4, 9}},
                                                        {"seed=1..2,9", {1, 2, 9}}}) {
    INFO(word);
    CHECK(project.load({word}).spec().seeds == seeds);
    CHECK(project.load({word}).arms.size() == 4);
  }
}

TEST_CASE("commas in texts and lists are no axes", "[sweep]") {
  const Project project(kArms);
  const Experiment e =
      project.load({"title=ternary, or not", "data.sources=tinyshakespeare,synthetic-plays"});
  CHECK(e.arms.size() == 2);
  CHECK(e.spec().title == "ternary, or not");
  CHECK(e.spec().data.sources == Names{"tinyshakespeare", "synthetic-plays"});
}

TEST_CASE("a sweep is inherited, and overridden axis by axis", "[sweep]") {
  const Project project("extends = [\"base.toml\"]\n[sweep]\noptim.beta1 = \"0.8,0.9\"\n");
  write_file_atomic(project.home() / "configs/experiments/base.toml",
                    "seeds = [1]\n[sweep]\noptim.beta1 = [0.5]\noptim.lr = \"1e-3,2e-3\"\n"
                    "seed = \"1..4\"\n[arms.a]\noptim.lr = 1.0\n");
  const Experiment e = project.load();
  CHECK(names(e) == Names{"a beta1=0.8 lr=0.001", "a beta1=0.8 lr=0.002", "a beta1=0.9 lr=0.001",
                          "a beta1=0.9 lr=0.002"});
  CHECK(e.spec().seeds == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("axes that are zipped move together", "[sweep]") {
  const std::string axes =
      "[sweep]\nmodel.d_model = [32, 64]\noptim.lr = [1e-3, 2e-3]\nmodel.n_head = [2, 4]\n";
  const Project project(axes + "zip = [[\"model.n_head\", \"model.d_model\"]]\n");
  CHECK(names(project.load()) == Names{"main d_model=32 lr=0.001", "main d_model=32 lr=0.002",
                                       "main d_model=64 lr=0.001", "main d_model=64 lr=0.002"});
  CHECK(names(project.load({"model.n_head=8"})) ==
        Names{"main d_model=32 lr=0.001", "main d_model=32 lr=0.002", "main d_model=64 lr=0.001",
              "main d_model=64 lr=0.002"});
  CHECK(project.error({"model.d_model=16,32,64"}) ==
        "configs/experiments/x.toml:5:8: axes that are zipped must have the same number of values, "
        "but model.n_head has 2, model.d_model has 3\n"
        "    5 | zip = [[\"model.n_head\", \"model.d_model\"]]\n"
        "      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^");
  CHECK(project.error({"sweep.zip=[[\"model.n_heads\", \"optim.lr\"]]"}) ==
        "command line: sweep.zip must name axes of the sweep, but got 'model.n_heads'\n"
        "    | sweep.zip=[[\"model.n_heads\", \"optim.lr\"]]\n"
        "    |             ^^^^^^^^^^^^^^^\n"
        "    did you mean 'model.n_head'?");
  CHECK(project.error({"sweep.zip=optim.lr"}) ==
        "command line: sweep.zip must be a list of lists of axes\n"
        "    | sweep.zip=optim.lr\n"
        "    |           ^^^^^^^^\n"
        "    write zip = [[\"model.d_model\", \"model.n_head\"]]");
}

TEST_CASE("points with the same settings are dropped and counted", "[sweep]") {
  const Project project(std::string(kArms) + "[sweep]\noptim.lr = \"1e-3,0.001,2e-3,10e-4\"\n");
  const Experiment e = project.load();
  CHECK(names(e) == Names{"full lr=0.001", "full lr=0.002", "bit lr=0.001", "bit lr=0.002"});
  CHECK(e.duplicates == 4);
  // Those of another arm as well: sweeping what the arms differ in makes them the same.
  const Experiment same = project.load({"optim.lr=1e-3", "model.linear=full,bitlinear"});
  CHECK(names(same) == Names{"full linear=full", "full linear=bitlinear"});
  CHECK(same.duplicates == 2);
}

TEST_CASE("arms that differ in the weights that they begin with are swept apart", "[sweep]") {
  const Project project(
      "[model]\nname = \"bert\"\nvocab_size = 100\n[arms.full]\n[arms.after]\nmodel.pretrained = "
      "\"arm:full\"\n"
      "[arms.other]\nmodel.pretrained = \"experiment:x/full\"\n");
  const Experiment e = project.load({"optim.lr=1e-3,2e-3"});
  CHECK(names(e) == Names{"full lr=0.001", "full lr=0.002", "after lr=0.001", "after lr=0.002",
                          "other lr=0.001", "other lr=0.002"});
  CHECK(e.duplicates == 0);
}

TEST_CASE("arms that the file names stay, even where they are the same", "[sweep]") {
  const Project project("[arms.a]\n[arms.b]\n");
  CHECK(names(project.load()) == Names{"a", "b"});
  CHECK(project.load().duplicates == 0);
}

TEST_CASE("sobol begins as the sequence does, without its origin", "[sweep]") {
  // Bratley and Fox 1988; scipy.stats.qmc.Sobol(2, scramble=False) from its second point on.
  const Project project(
      "[sweep]\noptim.beta1 = \"lin(0,1)\"\noptim.beta2 = \"lin(0,1)\"\n"
      "sampler = \"sobol\"\nsamples = 7\n");
  std::vector<std::pair<double, double>> points;
  for (const Arm& arm : project.load().arms)
    points.emplace_back(arm.spec.optim.beta1, arm.spec.optim.beta2);
  CHECK(points == std::vector<std::pair<double, double>>{{0.5, 0.5},
                                                         {0.75, 0.25},
                                                         {0.25, 0.75},
                                                         {0.375, 0.375},
                                                         {0.875, 0.875},
                                                         {0.625, 0.125},
                                                         {0.125, 0.625}});
}

TEST_CASE("random points repeat, stay in their range and follow the seed", "[sweep]") {
  const std::string sweep = "optim.lr = \"log(1e-4,1e-2)\"\nsampler = \"random\"\nsamples = 200\n";
  const Rates drawn = rates(sweep);
  REQUIRE(drawn.size() > 190);  // two of four digits may meet
  CHECK(drawn == rates(sweep));
  CHECK(drawn != rates(sweep, {"sweep.sampler_seed=2"}));
  for (const double lr : drawn) CHECK((lr >= 1e-4 && lr <= 1e-2));
  // Log-uniform: half of them below the geometric mean. 200 draws: sd 7, bound at 4 sd.
  const auto below = std::count_if(drawn.begin(), drawn.end(), [](double lr) { return lr < 1e-3; });
  CHECK(std::abs(static_cast<double>(below) - 100) < 28);
  // More samples and other axes change no number that was there.
  Rates more = rates(sweep, {"sweep.samples=210", "optim.beta1=lin(0.5,0.9)"});
  REQUIRE(more.size() >= drawn.size());
  for (const double lr : drawn) CHECK(std::find(more.begin(), more.end(), lr) != more.end());
}

TEST_CASE("samplers choose among the values of lists, and drop what they drew already", "[sweep]") {
  const Project project(
      "[sweep]\noptim.lr = \"1e-3,2e-3\"\nmodel.n_layer = \"1..3\"\n"
      "sampler = \"random\"\nsamples = 100\n");
  const Experiment e = project.load();
  CHECK(e.arms.size() == 6);
  CHECK(e.duplicates == 94);
}

TEST_CASE("all arms are drawn at the same points", "[sweep]") {
  const Project project(
      std::string(kArms) +
      "[sweep]\noptim.lr = \"log(1e-4,1e-2)\"\nsampler = \"random\"\nsamples = 5\n");
  const Experiment e = project.load();
  REQUIRE(e.arms.size() == 10);
  for (std::size_t i = 0; i < 5; ++i) CHECK(e.arms[i].spec.optim.lr == e.arms[i + 5].spec.optim.lr);
}

TEST_CASE("a point is called by as many of its zipped axes as tell it apart", "[sweep]") {
  const std::string axes =
      "[sweep]\nmodel.n_layer = [1, 1, 2]\nmodel.d_model = [16, 32, 32]\n"
      "train.steps = [10, 20, 30]\noptim.lr = [0.5, 0.25]\n"
      "zip = [[\"model.n_layer\", \"model.d_model\", \"train.steps\"]]\n[arms.a]\n";
  const Project project(axes);
  const Experiment experiment = project.load();
  CHECK(names(experiment) ==
        Names{"a n_layer=1 d_model=16 lr=0.5", "a n_layer=1 d_model=16 lr=0.25",
              "a n_layer=1 d_model=32 lr=0.5", "a n_layer=1 d_model=32 lr=0.25",
              "a n_layer=2 d_model=32 lr=0.5", "a n_layer=2 d_model=32 lr=0.25"});
  CHECK(experiment.arms[0].axes.size() == 4);
  // Without one of them the next one has to tell.
  CHECK(names(project.load({"arms.a.model.n_layer=2", "optim.lr=1"})) ==
        Names{"a d_model=16 steps=10", "a d_model=32 steps=20", "a d_model=32 steps=30"});
}

TEST_CASE("arms can be chosen, with all their points or one", "[sweep]") {
  const Project project(std::string(kArms) + "[sweep]\noptim.lr = [1.0, 2.0]\n");
  const auto kept = [&](const Names& wanted) {
    Experiment experiment = project.load();
    keep_arms(experiment, wanted);
    return names(experiment);
  };
  CHECK(kept({}).size() == 4);
  CHECK(kept({"bit"}) == Names{"bit lr=1", "bit lr=2"});
  CHECK(kept({"bit lr=2", "full"}) == Names{"full lr=1", "full lr=2", "bit lr=2"});
  Experiment experiment = project.load();
  CHECK_THROWS_WITH(keep_arms(experiment, {"full", "bits"}),
                    "[arm] must be one of full, bit, or one of them at a point of the sweep, but "
                    "got 'bits'; did you mean 'bit'?");
}

TEST_CASE("arms can have fewer seeds than others, in a sweep and without one", "[sweep]") {
  const std::vector<std::int64_t> none, five = {5};
  const Experiment plain =
      Project(std::string(kArms) + "[sweep]\nexclude = [\"arm=bit seed=5\"]\n").load();
  REQUIRE(names(plain) == Names{"full", "bit"});
  CHECK(plain.arms[0].left_out == none);
  CHECK(plain.arms[1].left_out == five);
  const Experiment swept = Project(std::string(kArms) +
                                   "[sweep]\noptim.lr = [1.0, 2.0]\nexclude = [\"optim.lr=2 "
                                   "arm=bit,full seed=5\", \"arm=full optim.lr=1\"]\n")
                               .load();
  REQUIRE(names(swept) == Names{"full lr=2", "bit lr=1", "bit lr=2"});
  CHECK(swept.arms[0].left_out == five);
  CHECK(swept.arms[1].left_out == none);
  CHECK(swept.arms[2].left_out == five);
  CHECK(Project(std::string(kArms) + "[sweep]\nexclude = [\"arm=bits\"]\n")
            .error()
            .find("there is no arm 'bits'") != std::string::npos);
}

TEST_CASE("what is excluded of an axis says nothing of arms without it", "[sweep]") {
  const std::vector<std::int64_t> none, five = {5};
  for (const char* values : {"\"none\", \"rmsnorm\"", "\"rmsnorm\", \"none\""}) {
    const Experiment experiment =
        Project(std::string(kArms) + "[sweep]\nmodel.bitlinear.norm = [" + values +
                "]\nexclude = [\"model.bitlinear.norm=none seed=5\"]\n")
            .load();
    REQUIRE(experiment.arms.size() == 3);
    CHECK(experiment.arms[0].left_out == none);  // full
    for (const std::size_t i : {1, 2}) {
      const Arm& arm = experiment.arms[i];
      CHECK(arm.left_out == (arm.name == "bit norm=none" ? five : none));
    }
  }
}

TEST_CASE("whole numbers between two others are excluded by what they are", "[sweep]") {
  const Experiment experiment =
      Project(std::string(kArms) +
              "[sweep]\nmodel.n_layer = \"lin(1,3)x5\"\nexclude = [\"model.n_layer=2 arm=bit "
              "seed=5\", \"arm=full\"]\n")
          .load();
  CHECK(names(experiment) == Names{"bit n_layer=1", "bit n_layer=2", "bit n_layer=3"});
  const std::vector<std::int64_t> none, five = {5};
  CHECK(experiment.arms[0].left_out == none);
  CHECK(experiment.arms[1].left_out == five);
  CHECK(experiment.arms[2].left_out == none);
}

TEST_CASE("runs are counted as the plan has them", "[sweep]") {
  const Project project(std::string(kArms) + "[sweep]\nexclude = [\"arm=bit seed=3\"]\n");
  using Counts = std::vector<std::size_t>;
  CHECK(project.load().planned_runs() == Counts{2, 1});
  CHECK(project.load({"sweep.max_runs=2"}).planned_runs() == Counts{2, 0});
}

TEST_CASE("runs of a sweep can be left out, by point and by seed", "[sweep]") {
  const std::string axes = "[sweep]\noptim.lr = [1.0, 2.0]\nmodel.n_layer = \"1..2\"\n";
  const Project project(kArms + axes +
                        "exclude = [\"optim.lr=2 model.n_layer=1..2 seed=5\", "
                        "\"model.n_layer=2 optim.lr=1e0\"]\n");
  const Experiment experiment = project.load();
  CHECK(names(experiment) == Names{"full lr=1 n_layer=1", "full lr=2 n_layer=1",
                                   "full lr=2 n_layer=2", "bit lr=1 n_layer=1",
                                   "bit lr=2 n_layer=1", "bit lr=2 n_layer=2"});
  const std::vector<std::int64_t> none, five = {5};
  CHECK(experiment.arms[0].left_out == none);
  CHECK(experiment.arms[1].left_out == five);
  CHECK(experiment.arms[2].left_out == five);
  CHECK(experiment.run_count() == 8);  // of each arm: both seeds of one point, seed 3 of two

  Plan plan;
  for (const Arm& arm : experiment.arms) {
    PlannedArm planned;
    planned.dir = arm.name;
    planned.left_out = arm.left_out;
    plan.arms.push_back(planned);
  }
  plan.seeds = {3, 5};
  std::string runs;
  for (const PlannedRun& run : plan.runs())
    runs += std::to_string(run.arm) + "/" + std::to_string(run.seed) + " ";
  CHECK(runs == "0/3 1/3 2/3 3/3 4/3 5/3 0/5 3/5 ");
}

}  // namespace
}  // namespace bitlab
