// bitlab bench, as a person starts it: what it measures is there and adds up. How fast things are
// is for people to look at.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/test_program.h"
#include "core/base/catch.h"

using namespace bitlab;
using nlohmann::json;

namespace {

json measured(const Program& program, std::vector<std::string> args) {
  args.push_back("--json");
  REQUIRE(program.run(args) == 0);
  const std::string text = program.output();  // both streams
  return json::parse(text.substr(text.find('[')));
}

}  // namespace

TEST_CASE("bench decode measures tokens, bytes of weights and the cache", "[bench]") {
  const TestFolder root;
  const Program program(root.path(), "results");
  const std::vector<std::string> small = {"bench",
                                          "decode",
                                          "llama-700m",
                                          "model.n_layer=1",
                                          "model.d_model=64",
                                          "model.n_head=2",
                                          "model.d_ff=96",
                                          "model.vocab_size=500",
                                          "--tokens",
                                          "3",
                                          "--context",
                                          "5"};
  const json rows = measured(program, small);
  REQUIRE(rows.size() == 1);
  const json& row = rows[0];
  CHECK(row.at("weight_bytes") == 4 * (4 * 64 * 64 + 3 * 64 * 96 + 64 * 500));
  CHECK(row.at("cache_bytes_per_token") == 4 * 2 * 64);
  const double tokens_per_s = row.at("tokens_per_s"), gb_per_s = row.at("gb_per_s");
  CHECK(tokens_per_s * row.at("ms_per_token").get<double>() == Approx(1000));
  CHECK(gb_per_s == Approx(tokens_per_s * row.at("weight_bytes").get<double>() / 1e9));
  CHECK(row.at("share").get<double>() == Approx(gb_per_s / row.at("read_gb_per_s").get<double>()));
  std::vector<std::string> ternary = small;
  ternary[2] = "bitnet-700m";
  CHECK(measured(program, ternary)[0].at("weight_bytes") ==
        (4 * 64 * 64 + 3 * 64 * 96) / 4 + 4 * 64 * 500);
}

TEST_CASE("bench train says what was planned", "[bench]") {
  const TestFolder root;
  write_file_atomic(root / "small.toml", small_experiment(1, 10, 10));
  const Program program(root.path(), "results");
  const std::string file = (root / "small.toml").string();
  const json rows = measured(program, {"bench", "train", file, "--steps", "3", "--against-plan"});
  REQUIRE(rows.size() == 2);
  for (const json& row : rows) {
    const json& plan = row.at("plan");
    CHECK(plan.at("ms_per_step").get<double>() > 0);
    CHECK(plan.at("cpu_ms_per_step").get<double>() > 0);
    const double peak = row.at("peak_rss_bytes");
    // Of so small a model: the program itself, for the most part.
    CHECK(plan.at("peak_rss_bytes").get<double>() == Approx(peak).epsilon(0.25));
  }
  CHECK_FALSE(measured(program, {"bench", "train", file, "--steps", "1"})[0].contains("plan"));
  CHECK(program.run({"bench", "train", file, "--steps", "1", "--against-plan"}) == 0);
  CHECK(program.output().find("planned RSS") != std::string::npos);
}

TEST_CASE("bench attention measures every length that is asked for", "[bench]") {
  const TestFolder root;
  const Program program(root.path(), "results");
  const json rows = measured(program, {"bench", "attention", "--seq-len", "32", "--seq-len", "64",
                                       "--heads", "2", "--d-head", "16"});
  REQUIRE(rows.size() == 2);
  for (const size_t i : {0, 1}) {
    CHECK(rows[i].at("seq_len") == (i ? 64 : 32));
    CHECK(rows[i].at("share").get<double>() ==
          Approx(rows[i].at("gflops").get<double>() / rows[i].at("sgemm_gflops").get<double>()));
  }
}

TEST_CASE("bench load: packed weights leave the latent ones out of memory", "[bench]") {
  ::unsetenv("MALLOC_PERTURB_");  // meson's: filling what is freed makes it count
  const TestFolder root;
  write_file_atomic(root / "wide.toml", small_experiment(1, 1, 1));
  const Program program(root.path(), "results");
  REQUIRE(program.run({"run", (root / "wide.toml").string(), "--arm", "bit", "model.d_model=256",
                       "model.n_layer=2"}) == 0);
  const json measured_runs = measured(program, {"bench", "load", "wide/bit"});
  REQUIRE(measured_runs.size() == 1);
  const json& rows = measured_runs[0].at("loaded");
  REQUIRE(rows.size() == 4);
  const std::vector<std::string> forms = {"f32", "f16", "packed", "packed-f16"};
  for (size_t i = 0; i < 4; ++i) CHECK(rows[i].at("weights") == forms[i]);
  const double latent = 4 * 2 * 12 * 256 * 256;  // bytes: 4 matrices of attention, 8 of the rest
  for (const char* size : {"file_bytes", "resident_bytes"}) {
    const double full = rows[0].at(size), packed = rows[2].at(size);
    INFO(size << ": " << full << ", " << packed);
    CHECK(full > latent);
    // 2 bits of 32 are left; in memory the first has 10 more, of codes.
    CHECK(full - packed > 0.93 * latent);
    CHECK(rows[3].at(size).get<double>() < packed + (1 << 16));
  }
  CHECK(rows[1].at("file_bytes").get<double>() <
        0.51 * rows[0].at("file_bytes").get<double>() + 4096);
  const std::filesystem::path run = measured_runs[0].at("run").get<std::string>();
  CHECK(json::parse(read_file(run / "load.json")).at("loaded") == rows);
  CHECK(program.run({"bench", "load", "wide"}) == 0);  // the arm that was run
  CHECK(program.output().find("packed-f16") != std::string::npos);
  // Of a run that is not done, what is there.
  std::filesystem::remove(run / "DONE");
  std::filesystem::remove(run / "packed.safetensors");
  CHECK(measured(program, {"bench", "load", run.string()})[0].at("loaded").size() == 1);
}

TEST_CASE("bench refuses what it cannot time", "[bench]") {
  const TestFolder root;
  const Program program(root.path(), "results");
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"bench"},
           {"bench", "fly"},
           {"bench", "train"},
           {"bench", "decode"},
           {"bench", "decode", "kevbuh-debug", "--tokens", "500", "--context", "500"},
           {"bench", "decode", "bitnet700-seed"},
           {"bench", "attention", "more"},
           {"bench", "load"},
           {"bench", "load", "none-such"},
           {"bench", "attention", "--heads", "6", "--kv-heads", "4"}}) {
    const int code = program.run(args);
    INFO(program.output());
    CHECK(code == 2);
  }
}
