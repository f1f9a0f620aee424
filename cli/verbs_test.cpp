// The verbs as a person meets them: what goes to the terminal, what ends up in a pipe, and how
// runs are named.
#include <pty.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/test_program.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// Four finished runs, made once: arms full and bit, each with seeds 1 and 2.
struct Finished {
  TestFolder folder;
  std::string file = (folder / "small.toml").string();
  Program program{folder.path(), "results"};

  Finished() {
    std::ofstream(file) << small_experiment(/*seeds=*/2, /*steps=*/200, /*checkpoint_every=*/100);
    REQUIRE(program.run({"run", file, "--jobs", "2"}) == 0);
    REQUIRE(program.runs("small").size() == 4);
  }
};

const Finished& finished() {
  static const Finished all;
  return all;
}

// Both streams of a verb on the finished runs; it must end with `code`.
std::string said(const std::vector<std::string>& args, int code = 0) {
  const Program& program = finished().program;
  const int got = program.run(args);
  INFO(program.output());
  CHECK(got == code);
  return program.output();
}

// What it writes to the standard output alone.
std::string data_of(const std::vector<std::string>& args) {
  const Program& program = finished().program;
  CHECK(program.run(args, [] { ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO); }) == 0);
  return program.output();
}

// "bit-0123abcd/seed-2" -> "0123abcd-2"
std::string id_of(const fs::path& run) {
  const std::string arm = run.parent_path().filename(), seed = run.filename();
  return arm.substr(arm.rfind('-') + 1) + seed.substr(seed.rfind('-'));
}

// What a verb writes to a terminal of 100 columns and 20 rows.
std::string on_terminal(const Program& program, const std::vector<std::string>& args, int& code) {
  winsize size{};
  size.ws_row = 20;
  size.ws_col = 100;
  int master = -1, slave = -1;
  REQUIRE(::openpty(&master, &slave, nullptr, nullptr, &size) == 0);
  const pid_t pid = program.start(args, [&] {
    ::close(master);
    ::setsid();
    ::dup2(slave, STDIN_FILENO);
    ::dup2(slave, STDOUT_FILENO);
    ::dup2(slave, STDERR_FILENO);
  });
  ::close(slave);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(master, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  ::close(master);
  code = Program::wait(pid);
  return text;
}

}  // namespace

TEST_CASE("all files that come with bitlab are right, alone or as parts", "[verbs][check]") {
  const std::string all = said({"check"});
  CHECK(contains(all, "ok      configs/experiments/imdb-minilm.toml: full"));
  CHECK(contains(all, "configs/data/imdb-sentiment.toml: as part of configs/experiments/imdb-"));
  // Files elsewhere, by whatever name.
  CHECK(contains(said({"check", finished().file}), "1 of 1 files are right"));
  // A part alone is nothing to train.
  const std::string part =
      std::string(std::getenv("BITLAB_SOURCE_DIR")) + "/configs/data/imdb-sentiment.toml";
  CHECK(contains(said({"check", part}, 1), "must be a model of whole texts"));
}

TEST_CASE("a long evaluation says on a terminal how far it is", "[cli]") {
  const Finished& all = finished();
  const std::string file = (all.folder / "long.txt").string();
  std::ofstream(file) << std::string(200'000, 'e');
  const std::vector<std::string> args = {"eval",      id_of(all.program.runs("small").front()),
                                         "--data",    file,
                                         "--stride",  "1",
                                         "--threads", "1"};
  int code = 1;
  const std::string screen = on_terminal(all.program, args, code);
  CHECK(code == 0);
  CHECK(contains(screen, "\rjudged: "));
  CHECK(contains(screen, " of 199984 windows ("));
  CHECK(contains(screen, "(100 %)"));
  CHECK_FALSE(contains(said(args), "judged: "));
}

TEST_CASE("a run is named by the beginning of its id, its arm or its folder", "[cli]") {
  const fs::path run = finished().program.runs("small").at(1);  // bit, seed 2
  const std::string id = id_of(run), hash = id.substr(0, 8);
  const std::string whole = said({"show", id});
  CHECK(contains(whole, "bit"));
  CHECK(contains(whole, id));
  for (const std::string& name : {std::string("small/bit/2"), "small/" + id, run.string()})
    CHECK(said({"show", name}) == whole);
  CHECK(contains(said({"show", "small/bit"}), hash + "-1"));  // the first seed

  // Both seeds of an arm begin with its hash.
  const std::string ambiguous = said({"show", hash}, 2);
  CHECK(contains(ambiguous, "must mean one run, but 2 begin so"));
  CHECK(contains(ambiguous, "small/" + hash + "-1, small/" + hash + "-2"));
  CHECK(contains(said({"show", "zzzz"}, 2), "bitlab ls NAME lists the runs"));
  CHECK(contains(said({"show", "small/bitt"}, 2), "did you mean 'bit'?"));
  CHECK(contains(said({"show", "small/bit/7"}, 2), "one of the seeds 1, 2"));
}

TEST_CASE("two runs are told apart by what differs and nothing else", "[cli]") {
  const std::string diff = said({"diff", "small/bit/1", "small/full/1"});
  CHECK(contains(diff, "model.linear"));
  CHECK(contains(diff, "val_loss"));
  CHECK_FALSE(contains(diff, "model.d_model"));
}

TEST_CASE("filters, sorting and formats work from the command line", "[cli]") {
  const auto rows = nlohmann::json::parse(data_of(
      {"compare", "small", "seed=1 and state=done", "--sort", "val_loss", "--format", "json"}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("val_loss").get<double>() <= rows[1].at("val_loss").get<double>());
  CHECK(contains(said({"table", "small", "--rows", "arm", "--cols", "seed", "--format", "csv"}),
                 "arm,seed,mean,sd,n"));
  CHECK(contains(said({"compare", "small", "va_loss<2"}, 2), "did you mean 'val_loss'?"));
  CHECK(contains(said({"shwo", "small"}, 2), "did you mean"));
  CHECK(contains(said({"compare", "small", "--srt", "x"}, 2), "did you mean '--sort'?"));
  CHECK(contains(said({"ls"}), "small"));
  CHECK(said({"--version"}).starts_with("bitlab 0."));
}

TEST_CASE("clean asks, and without an answer deletes nothing", "[cli]") {
  CHECK(contains(said({"clean", "small"}), "nothing to clean"));
  const std::string asked = said({"clean", "small", "--finished"});
  CHECK(contains(asked, "4 runs (4 of them FINISHED)"));
  CHECK(contains(asked, "nothing deleted"));
  CHECK(finished().program.runs("small").size() == 4);
}

TEST_CASE("status --watch redraws on a terminal until all has ended", "[cli]") {
  TestFolder folder;
  const Program program(folder.path(), "results", finished().program.cache());
  const std::string file = (folder / "long.toml").string();
  std::ofstream(file) << small_experiment(/*seeds=*/1, /*steps=*/12000, /*checkpoint_every=*/6000);
  const pid_t schedule = program.start({"run", file, "--jobs", "1"});
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!fs::exists(program.results() / "long" / "plan.json") &&
         std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  int code = -1;
  const Program watcher(folder.path(), "results", program.cache());
  const std::string screen = on_terminal(watcher, {"status", "long", "--watch"}, code);
  CHECK(Program::wait(schedule) == 0);
  INFO(screen);
  CHECK(code == 0);
  CHECK(contains(screen, "A\r\x1b[J"));  // went up and drew again
  CHECK(contains(screen, "running"));
  CHECK(contains(screen.substr(screen.rfind("\x1b[J")), "2 of 2 done"));
  for (std::size_t begin = 0; begin < screen.size();) {  // no line is wider than the terminal
    const std::size_t line_end = std::min(screen.find('\n', begin), screen.size());
    CHECK(line_end - begin < 160);  // bytes: 99 columns, and escapes
    begin = line_end + 1;
  }
}

// The experiment as it is, with a width that a test can afford and text that needs no download.
TEST_CASE("two steps of the 700M recipe, at reduced width", "[cli]") {
  TestFolder folder;
  const Program program(folder.path(), "results", finished().program.cache());
  const int code =
      program.run({"run", "bitnet-700m", "--arm", "smoke", "data.sources=synthetic-plays",
                   "data.tokenizer=char", "model.vocab_size=512", "model.d_model=64",
                   "model.n_head=4", "model.n_layer=2", "model.d_ff=128", "model.seq_len=32"});
  INFO(program.output());
  REQUIRE(code == 0);
  REQUIRE(program.runs("bitnet-700m").size() == 1);
  const fs::path run = program.runs("bitnet-700m").front();
  const RunMetrics metrics = read_metrics(run / "metrics.h5");
  REQUIRE(metrics.train.size() == 2);
  CHECK(metrics.train[0].loss == Approx(std::log(512.0)).margin(0.05));
  CHECK(metrics.train[0].lr == Approx(1.5e-3));
  CHECK(metrics.train[1].lr == Approx(1e-3));  // the second stage
}
