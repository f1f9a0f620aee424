// What a sweep refuses, with the whole message.
#include "core/base/catch.h"
#include "experiments/plan_test.h"

namespace bitlab {
namespace {

// The error of one override on an experiment without arms.
std::string error(const std::string& word) { return Project("").error({word}); }

std::string refusal(const std::string& word, const std::string& item, const std::string& why) {
  const std::size_t equals = word.find('=') + 1;
  return "command line: " + word.substr(0, equals - 1) +
         " must be swept over a,b or 1..4 or lin(a,b)xN or log(a,b)xN, but got '" + item +
         "'\n    | " + word + "\n    | " + std::string(equals, ' ') +
         std::string(word.size() - equals, '^') + "\n    " + why;
}

TEST_CASE("an axis that is none of the grammar is refused with the reason", "[sweep]") {
  struct Case {
    std::string word, item, why;
  };
  for (const Case& c :
       {Case{"optim.lr=1,,2", "", "two commas in a row, or one at the end"},
        Case{"optim.lr=1,", "", "two commas in a row, or one at the end"},
        Case{"model.n_layer=1..x", "1..x", "a range goes from an integer to another: 1..4"},
        Case{"model.n_layer=4..1", "4..1", "a range goes upwards: 1..4"},
        Case{"optim.lr=lin(1,2", "lin(1,2", "a parenthesis is missing"},
        Case{"optim.lr=geo(1,2)x3", "geo(1,2)x3", "there are lin(a,b)xN and log(a,b)xN"},
        Case{"optim.lr=lin(1,2,3)x3", "lin(1,2,3)x3", "two numbers belong between the parentheses"},
        Case{"optim.lr=lin(1,b)x3", "lin(1,b)x3", "the ends must be two different numbers"},
        Case{"optim.lr=lin(1,1)x3", "lin(1,1)x3", "the ends must be two different numbers"},
        Case{"optim.lr=lin(1,inf)x3", "lin(1,inf)x3", "the ends must be two different numbers"},
        Case{"optim.lr=log(0,1)x3", "log(0,1)x3", "the ends of log must be above 0"},
        Case{"optim.lr=log(1,2)x1", "log(1,2)x1", "write how many values after it, at least 2: x8"},
        Case{"optim.lr=log(1,2)8", "log(1,2)8", "write how many values after it, at least 2: x8"}})
    CHECK(error(c.word) == refusal(c.word, c.item, c.why));
  CHECK(error("seed=0..999999999") ==
        "command line: seed must have at most 100000 values, but got '0..999999999'\n"
        "    | seed=0..999999999\n"
        "    |      ^^^^^^^^^^^^");
}

TEST_CASE("what cannot be swept is refused", "[sweep]") {
  CHECK(Project("[sweep]\ntrain.log_every = [1, 2]\ndata.val_fraction = \"0.1,0.2\"\n").error() ==
        "configs/experiments/x.toml:2:7: train.log_every must not be swept: it changes no result\n"
        "    2 | train.log_every = [1, 2]\n"
        "      |       ^^^^^^^^^\n"
        "configs/experiments/x.toml:3:6: data.val_fraction must not be swept: arms are compared on "
        "the same data\n"
        "    3 | data.val_fraction = \"0.1,0.2\"\n"
        "      |      ^^^^^^^^^^^^");
  CHECK(
      Project("[sweep]\noptim.lr = [[1, 2]]\nmodel.n_layer = []\n").error() ==
      "configs/experiments/x.toml:2:13: optim.lr must be swept over plain values, but got a list\n"
      "    2 | optim.lr = [[1, 2]]\n"
      "      |             ^^^^^^\n"
      "configs/experiments/x.toml:3:17: model.n_layer must be swept over at least one value\n"
      "    3 | model.n_layer = []\n"
      "      |                 ^^");
}

TEST_CASE("an axis that no arm has is told with what was probably meant", "[sweep]") {
  CHECK(Project("[sweep]\noptim.learning_rate = [1e-3]\n[sweep.modle]\nn_layer = [1]\n").error() ==
        "configs/experiments/x.toml:2:7: unknown key 'optim.learning_rate'\n"
        "    2 | optim.learning_rate = [1e-3]\n"
        "      |       ^^^^^^^^^^^^^\n"
        "    did you mean 'optim.lr'?\n"
        "    valid keys in [optim]: beta1 beta2 clip decay eps lr name weight_decay\n"
        "configs/experiments/x.toml:4:1: unknown table [modle]\n"
        "    4 | n_layer = [1]\n"
        "      | ^^^^^^^\n"
        "    did you mean [model]?\n"
        "    tables: [data] [eval] [model] [optim] [prune] [schedule] [task] [train]");
}

TEST_CASE("every point is checked as a whole, and all that is wrong is told at once", "[sweep]") {
  CHECK(
      Project("seeds = [1, 1]\n[sweep]\noptim.lr = \"1e-3,-1\"\nmodel.n_head = [2, 3]\n").error() ==
      "configs/experiments/x.toml:1:9: seeds must hold at least one seed, and none twice, but "
      "got a list\n"
      "    1 | seeds = [1, 1]\n"
      "      |         ^^^^^^\n"
      "    write seeds = [1, 2, 3]\n"
      "configs/experiments/x.toml:3:12: optim.lr must be at least 0, but got -1\n"
      "    3 | optim.lr = \"1e-3,-1\"\n"
      "      |            ^^^^^^^^^\n"
      "configs/experiments/x.toml:4:20: model.n_head must divide d_model = 64, but got 3\n"
      "    4 | model.n_head = [2, 3]\n"
      "      |                    ^\n"
      "    try a divisor such as 8");
}

TEST_CASE("mistakes in the options of a sweep are told beside those of the arms", "[sweep]") {
  CHECK(
      Project("[optim]\nlr = -1\n[sweep]\nsampel = 3\nsampler = \"sobel\"\nmax_runs = -1\n"
              "optim.lr = [1, 2]\n[arms.a]\nsweep.optim.lr = 3\n")
          .error() ==
      "configs/experiments/x.toml:2:6: optim.lr must be at least 0, but got -1\n"
      "    2 | lr = -1\n"
      "      |      ^^\n"
      "configs/experiments/x.toml:4:1: unknown key 'sweep.sampel'\n"
      "    4 | sampel = 3\n"
      "      | ^^^^^^\n"
      "    did you mean 'sweep.sampler'?\n"
      "    valid keys in [sweep]: exclude max_runs sampler sampler_seed samples seed zip\n"
      "configs/experiments/x.toml:5:11: sweep.sampler must be one of grid, random, sobol, but got "
      "'sobel'\n"
      "    5 | sampler = \"sobel\"\n"
      "      |           ^^^^^^^\n"
      "    did you mean 'sobol'?\n"
      "configs/experiments/x.toml:6:12: sweep.max_runs must be at least 0, but got -1\n"
      "    6 | max_runs = -1\n"
      "      |            ^^\n"
      "configs/experiments/x.toml:9:1: unknown table [sweep] in arm a\n"
      "    9 | sweep.optim.lr = 3\n"
      "      | ^^^^^\n"
      "    tables: [data] [eval] [model] [optim] [prune] [schedule] [task] [train]");
}

TEST_CASE("samplers need what they draw from, and how much", "[sweep]") {
  const Project project("[sweep]\noptim.lr = \"log(1e-4,1e-2)\"\n");
  CHECK(
      project.error() ==
      "configs/experiments/x.toml:2:12: optim.lr must say how many values the grid has, but got "
      "log(1e-4,1e-2)\n"
      "    2 | optim.lr = \"log(1e-4,1e-2)\"\n"
      "      |            ^^^^^^^^^^^^^^^^\n"
      "    write xN after it, such as log(1e-4,1e-2)x8, or draw from it with sampler = \"random\" "
      "and samples = N");
  CHECK(project.error({"sweep.sampler=sobol"}) ==
        "configs/experiments/x.toml:2:7: sweep.samples must say how many points the sampler sobol "
        "draws\n"
        "    2 | optim.lr = \"log(1e-4,1e-2)\"\n"
        "      |       ^^");
  CHECK(project.error({"optim.lr=1,2", "sweep.samples=3"}) ==
        "command line: sweep.samples must not be set for the sampler grid, which takes all\n"
        "    | optim.lr=1,2\n"
        "    | ^^^^^^^^\n"
        "    set sampler = \"random\" or \"sobol\"");
  CHECK(project.error({"optim.lr=1..1000", "model.n_layer=1..1000"}) ==
        "[sweep] the grid must have at most 100000 points; draw from it with sampler = \"random\" "
        "and samples = N");
}

TEST_CASE("what is excluded must be of the sweep", "[sweep]") {
  const auto error = [](const std::string& exclude) {
    return Project("[sweep]\noptim.lr = [1.0, 2.0]\nexclude = " + exclude + "\n").error();
  };
  CHECK(error("[\"optim.l=1\"]") ==
        "configs/experiments/x.toml:3:12: sweep.exclude must name axes of the sweep, seed or arm, "
        "but "
        "got 'optim.l'\n"
        "    3 | exclude = [\"optim.l=1\"]\n"
        "      |            ^^^^^^^^^^^\n"
        "    did you mean 'optim.lr'?");
  CHECK(error("[\"optim.lr=3\"]").find("'optim.lr=3' has one that the axis does not have") !=
        std::string::npos);
  for (const char* wrong : {"\"optim.lr=1\"", "[1]", "[\"\"]", "[\"optim.lr\"]"}) {
    INFO(wrong);
    CHECK(error(wrong).find("write exclude = [\"model.d_model=112 seed=2..3\"]") !=
          std::string::npos);
  }
  CHECK(error("[\"optim.lr=log(1,2)\"]").find("which a sampler draws from") != std::string::npos);
  for (const char* seeds : {"2-3", "1.5", "lin(2,4)x3"})
    CHECK(error("[\"seed=" + std::string(seeds) + "\"]").find("must name whole seeds") !=
          std::string::npos);
  CHECK(Project("").error({"seed=\"lin(1,9)\""}).find("seeds must be whole numbers") !=
        std::string::npos);
  CHECK(error("[\"optim.lr=1..2\"]") == "[sweep] sweep.exclude must leave a run, but leaves none");
}

TEST_CASE("seeds are set once", "[sweep]") {
  CHECK(Project("").error({"seed=1..3", "seeds=4"}) ==
        "command line: seed must not be set beside seeds: they are the same\n"
        "    | seed=1..3\n"
        "    | ^^^^");
}

}  // namespace
}  // namespace bitlab
