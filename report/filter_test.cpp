#include "report/filter.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "report/fake_results.h"
#include "report/run_values.h"

namespace bitlab {
namespace {

// Four runs: full/1 (1.8, done), full/2 (failed), bit/1 (2.0, done), bit/2 (queued).
std::vector<RunRecord> four_runs() {
  std::vector<RunRecord> runs(4);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    RunRecord& r = runs[i];
    r.base = i < 2 ? "full" : "bit";
    r.arm = r.base + " lr=0.001";
    r.id = std::string(i < 2 ? "0000000a-" : "0000000b-") + (i % 2 == 0 ? "1" : "2");
    r.run.seed = i % 2 == 0 ? 1 : 2;
    r.settings = {{"optim.lr", {i < 2 ? "1e-03" : "9e-4", "sweep"}},
                  {"model.norm", {"\"rmsnorm\"", "default"}},
                  {"model.bitlinear.norm", {"\"none\"", "default"}},
                  {"model.dropout", {"0.0", "default"}},
                  {"model.tie", {i < 2 ? "true" : "false", "default"}}};
  }
  runs[0].run.state = runs[2].run.state = SeedState::Done;
  runs[0].run.val_loss = 1.8;
  runs[2].run.val_loss = 2.0;
  runs[1].run.state = SeedState::Failed;
  runs[1].run.reason = "diverged at step 120";
  runs[0].run.started = "2026-01-31T10:00:00Z";
  return runs;
}

// The indices of the runs that a filter takes, as "013".
std::string taken(const std::string& filter) {
  const std::vector<RunRecord> runs = four_runs();
  const RunFilter takes = parse_filter(filter, runs);
  std::string out;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (takes(runs[i])) out += std::to_string(i);
  return out;
}

std::string refusal(const std::string& filter) {
  return message_of([&] { parse_filter(filter, four_runs()); });
}

TEST_CASE("comparisons take numbers as numbers and words as words", "[report]") {
  CHECK(taken("") == "0123");
  CHECK(taken("val_loss<2") == "0");
  CHECK(taken("val_loss<=2") == "02");
  CHECK(taken("val_loss > 1.8") == "2");
  CHECK(taken("val_loss>=1.8") == "02");
  CHECK(taken("seed=2") == "13");
  CHECK(taken("state=done") == "02");
  CHECK(taken("state!=done") == "13");
  CHECK(taken("lr=0.001") == "01");  // written 1e-03 in the config
  CHECK(taken("optim.lr<1e-3") == "23");
  CHECK(taken("model.tie=true") == "01");
  CHECK(taken("started>2026-01-30") == "0");
}

TEST_CASE("an arm is found by its name in the file and by its whole name", "[report]") {
  CHECK(taken("arm=bit") == "23");
  CHECK(taken("arm='bit lr=0.001'") == "23");
  CHECK(taken("arm!=bit") == "01");
  CHECK(taken("arm~'BIT.*0\\.001'") == "23");
}

TEST_CASE("a regular expression is found anywhere, in upper and lower case", "[report]") {
  CHECK(taken("reason~Diverged") == "1");
  CHECK(taken("reason ~ '^step'") == "");
  CHECK(taken("bitlinear.norm~no") == "0123");
}

TEST_CASE("and binds closer than or, not closest, parentheses first", "[report]") {
  CHECK(taken("seed=1 and arm=bit or state=failed") == "12");
  CHECK(taken("state=failed or seed=1 and arm=bit") == "12");
  CHECK(taken("seed=1 and (arm=bit or state=failed)") == "2");
  CHECK(taken("not seed=1 and arm=bit") == "3");
  CHECK(taken("not (seed=1 and arm=bit)") == "013");
  CHECK(taken("not not seed=1") == "02");
}

TEST_CASE("of a value that a run has not, only != is true", "[report]") {
  CHECK(taken("val_loss!=1.8") == "123");
  CHECK(taken("not val_loss=1.8") == "123");
  CHECK(taken("val_loss<9") == "02");
  CHECK(taken("val_loss>=0") == "02");
}

TEST_CASE("a mistake is shown at its place, with what was probably meant", "[report]") {
  CHECK(refusal("seed=1 and val_los<2") ==
        "[filter] 'val_los' must be a metric, a setting or a fact of these runs\n"
        "  seed=1 and val_los<2\n"
        "             ^^^^^^^; did you mean 'val_loss'?");
  CHECK(refusal("norm=none").find("bitlinear.norm, model.norm\n  norm=none\n  ^^^^") !=
        std::string::npos);
  CHECK(refusal("val_loss<low")
            .find("compared with a number, but got 'low'\n  val_loss<low\n"
                  "           ^^^") != std::string::npos);
  CHECK(refusal("state==done").find("'==' must be written '='\n  state==done\n       ^^") !=
        std::string::npos);
  CHECK(refusal("seed=1 & lr=1").find("'&' must stand in quotes") != std::string::npos);
  CHECK(refusal("seed=1 && lr=1").find("'&&' must be written 'and'") != std::string::npos);
  CHECK(refusal("seed").find("must follow a key, but the filter ends here\n  seed\n      ^") !=
        std::string::npos);
  CHECK(refusal("seed=").find("a value must stand here, but the filter ends") != std::string::npos);
  CHECK(refusal("(seed=1").find("no ')' to this '('\n  (seed=1\n  ^") != std::string::npos);
  CHECK(refusal("seed=1)").find("no '(' to this ')'\n  seed=1)\n        ^") != std::string::npos);
  CHECK(refusal("arm=b c").find("go on with 'and' or 'or', but got 'c'") != std::string::npos);
  CHECK(refusal("arm='b").find("the quote must be closed\n  arm='b\n      ^^") !=
        std::string::npos);
  CHECK(refusal("arm~'('").find("must be a regular expression") != std::string::npos);
  CHECK(refusal("and").find("'and' must be") != std::string::npos);
  CHECK_THROWS_AS(parse_filter("x=1", four_runs()), UsageError);
}

TEST_CASE("the marker counts characters and not bytes", "[report]") {
  CHECK(refusal("arm='ü' and x=1").find("\n  arm='ü' and x=1\n              ^") !=
        std::string::npos);
}

TEST_CASE("settings are named by the shortest end that is clear", "[report]") {
  const RunKeys keys(four_runs());
  CHECK(keys.short_name("optim.lr") == "lr");
  CHECK(keys.short_name("model.bitlinear.norm") == "bitlinear.norm");
  CHECK(keys.short_name("model.norm") == "model.norm");
  for (const std::string& path : keys.settings())
    CHECK(keys.resolve(keys.short_name(path), "test") == path);
  CHECK(message_of([&] { keys.resolve("learning_rate", "--sort"); }).find("did you mean") !=
        std::string::npos);
}

TEST_CASE("TOML text becomes a value", "[report]") {
  CHECK(value_of_toml("9e-04") == RunValue(9e-4));
  CHECK(value_of_toml("5000") == RunValue(5000.0));
  CHECK(value_of_toml("\"a \\\"b\\\"\"") == RunValue("a \"b\""));
  CHECK(value_of_toml("true") == RunValue("true"));
  CHECK(value_of_toml("[1, 2]") == RunValue("[1, 2]"));
}

TEST_CASE("numbers come before words, and what is missing last", "[report]") {
  CHECK(comes_before(1.0, 2.0));
  CHECK_FALSE(comes_before(2.0, 1.0));
  CHECK(comes_before(2.0, "a"));
  CHECK(comes_before("a", RunValue()));
  CHECK_FALSE(comes_before(RunValue(), 1.0));
  CHECK_FALSE(comes_before(RunValue(), RunValue()));
}

}  // namespace
}  // namespace bitlab
