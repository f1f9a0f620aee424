// `bitlab plan` as a person meets it.
#include <sys/resource.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "cli/test_program.h"

using namespace bitlab;

namespace {

struct Planned {
  TestFolder folder;
  Program program{folder.path(), "results"};
  std::string output;
  long peak_kb = 0;

  explicit Planned(const std::vector<std::string>& words, int code = 0) {
    std::vector<std::string> args = {"plan"};
    args.insert(args.end(), words.begin(), words.end());
    const pid_t pid =
        program.start(args, [] { ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO); });
    int status = 0;
    struct rusage usage {};
    ::wait4(pid, &status, 0, &usage);
    output = program.output();
    peak_kb = usage.ru_maxrss;
    INFO(output);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == code));
  }
  nlohmann::json json() const { return nlohmann::json::parse(output); }
};

}  // namespace

TEST_CASE("the largest preset is planned in next to no memory", "[plan]") {
  const Planned plan({"bitnet-3.9b", "--json"});
  const nlohmann::json json = plan.json();
  CHECK(json["parameters"]["total"] == 4362240000 + 585600);
  CHECK(json["parameters"]["ternary"] == 26ull * (4 * 3200 * 3200 + 3 * 3200 * 12800));
  CHECK(json["training_memory_bytes"]["weights"] == 4 * (4362240000 + 585600));
  CHECK(json["training_memory_bytes"]["activations_with_checkpointing"] <
        json["training_memory_bytes"]["activations_without_checkpointing"]);
  CHECK(json["inference_memory"].size() == 4);
  CHECK(json["time"]["seconds_per_step"] > 0);
#ifndef __SANITIZE_ADDRESS__
  CHECK(plan.peak_kb < 150'000);
#endif
}

TEST_CASE("a preset has a page, an experiment a table of its sizes", "[plan]") {
  const std::string page = Planned({"bitnet-700m", "model.n_layer=1", "model.seq_len=64"}).output;
  for (const char* part : {"bitnet-700m: bitnet, 64 tokens", "embedding", "reads the embedding",
                           "with activation checkpointing", "1.6 bits", "m (n-1) p e_add",
                           "memory of training: micro-batches of 1 x 64 tokens", "compute-optimal"})
    CHECK(page.find(part) != std::string::npos);

  const std::string encoder =
      Planned({"distilbert", "model.n_layer=1", "model.linear=bitlinear"}).output;
  for (const char* part : {"distilbert: bert, 512 tokens of context, outputs: 2", "times as much"})
    CHECK(encoder.find(part) != std::string::npos);
  for (const char* part :
       {"nan", "inf ", "reads the embedding", "cache of a token", "compute-optimal"})
    CHECK(encoder.find(part) == std::string::npos);

  TestFolder folder;
  const std::string file = (folder / "sizes.toml").string();
  std::ofstream(file) << small_experiment(/*seeds=*/2, /*steps=*/200, /*checkpoint_every=*/100)
                      << "[sweep]\nmodel.d_model = [16, 32]\noptim.lr = [1e-3, 2e-3]\n";
  const std::string table = Planned({file, "--jobs", "2"}).output;
  CHECK(table.find("16 runs, about") != std::string::npos);  // 2 arms x 2 sizes x 2 rates x 2 seeds
  const nlohmann::json arms = Planned({file, "--json"}).json()["arms"];
  REQUIRE(arms.size() == 4);
  CHECK(arms[0]["time"]["runs"] == 4);
  CHECK(arms[0]["time"]["seconds_per_run"] > 0);
  CHECK(arms[0]["parameters"]["total"] < arms[1]["parameters"]["total"]);
}

TEST_CASE("a wrong plan is refused", "[plan]") {
  Planned({}, 2);
  Planned({"bitnet-701m"}, 2);
  Planned({"bitnet-700m", "model.n_layers=3"}, 2);
  Planned({"bitnet-700m", "--arm", "x"}, 2);
}
