#include "report/table.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "report/fake_results.h"
#include "report/format.h"
#include "report/table_writers.h"
#include "report/text_table.h"

namespace bitlab {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Two arms; `bit` lost its third seed.
Results with_failure() {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92});
  results.arms[0].runs[2].eval[1].loss = 1.79;  // its best is not its last
  results.arms[1].runs.push_back(other_run(3, SeedState::Failed, "diverged at step 120"));
  return results;
}

TEST_CASE("JSON rows have the promised keys in order and the hand-calculated figures", "[report]") {
  const std::string text = format_table(with_failure(), TableFormat::Json);
  std::vector<std::string> keys;
  const ordered_json first = ordered_json::parse(text).at(0);
  for (const auto& [key, value] : first.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{
                    "arm", "seeds", "params", "ternary_params", "val_loss_mean", "val_loss_sd",
                    "val_loss_best", "train_loss_mean", "tokens_per_s", "wall_seconds",
                    "bytes_full", "bytes_packed", "seed_list", "seeds_planned", "states"});
  const json rows = json::parse(text);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["arm"] == "full");
  CHECK(rows[0]["seeds"] == 3);
  CHECK(rows[0]["params"] == 209153);
  CHECK(rows[0]["ternary_params"] == 0);
  CHECK(rows[0]["val_loss_mean"].get<double>() == Approx(1.84));
  CHECK(rows[0]["val_loss_sd"].get<double>() == Approx(0.04));
  CHECK(rows[0]["val_loss_best"].get<double>() == Approx((1.80 + 1.84 + 1.79) / 3));
  CHECK(rows[0]["train_loss_mean"] == 1.5);
  CHECK(rows[0]["tokens_per_s"] == 63000);
  CHECK(rows[0]["wall_seconds"] == 52);
  CHECK(rows[0]["bytes_full"].dump() == "838000");
  CHECK(rows[0]["bytes_packed"].dump() == "140000");
  CHECK(rows[1]["seeds"] == 2);
  CHECK(rows[1]["seed_list"] == json({1, 2}));
  CHECK(rows[1]["seeds_planned"] == 3);
  CHECK(rows[1]["states"] == "2 of 3 done; seed 3 failed: diverged at step 120");
}

TEST_CASE("tables of tokens have bits per byte, those of characters have not", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {});
  results.arms[1].runs.push_back(other_run(1, SeedState::Queued));
  results.data.val_tokens = 250;
  results.data.val_bytes = 1000;
  const auto has = [&](const char* text, TableFormat format) {
    return format_table(results, format).find(text) != std::string::npos;
  };
  for (const char* unit : {"character", "byte"}) {
    results.data.unit = unit;
    CHECK_FALSE(has("bits", TableFormat::Markdown));
    CHECK_FALSE(has("bits", TableFormat::Csv));
  }
  results.data.unit = "token";
  const json rows = json::parse(format_table(results, TableFormat::Json));
  CHECK(rows[0]["val_bits_per_byte_mean"].get<double>() ==
        Approx(1.84 * 250 / 1000 / std::log(2.0)));
  CHECK(rows[1]["val_bits_per_byte_mean"].is_null());
  CHECK(has("bits/byte |", TableFormat::Markdown));
  CHECK(has("0.6636 ± 0.0144", TableFormat::Markdown));
  CHECK(has("Bits/byte are", TableFormat::Tex));
  CHECK(has("val_loss_best,val_bits_per_byte_mean,train_loss_mean", TableFormat::Csv));
  results.data.val_bytes = 0;  // of an older version's plan
  CHECK_FALSE(has("bits", TableFormat::Markdown));
}

TEST_CASE("where texts are classified, tables have accuracy and F1", "[report][classification]") {
  Results results = two_arms({1.80, 1.84}, {1.90, 1.92});
  CHECK(format_table(results, TableFormat::Json).find("accuracy") == std::string::npos);
  CHECK(format_table(results, TableFormat::Markdown).find("accuracy") == std::string::npos);
  results.arms[0].runs[0].accuracy = 0.88;
  results.arms[0].runs[1].accuracy = 0.90;
  results.arms[0].runs[0].f1 = results.arms[0].runs[1].f1 = 0.87;
  const json rows = json::parse(format_table(results, TableFormat::Json));
  CHECK(rows[0]["accuracy_mean"].get<double>() == Approx(0.89));
  CHECK(rows[0]["accuracy_sd"].get<double>() == Approx(0.0141421));
  CHECK(rows[0]["f1_mean"].get<double>() == Approx(0.87));
  CHECK(rows[1]["accuracy_mean"].is_null());
  CHECK(format_table(results, TableFormat::Csv).find(",accuracy_mean,accuracy_sd,f1_mean\n") !=
        std::string::npos);
  CHECK(format_table(results, TableFormat::Markdown).find("0.8900 ± 0.0141") != std::string::npos);
}

TEST_CASE("runs that were pruned are counted as such and stay out of the figures", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90});
  results.arms[1].runs.push_back(other_run(2, SeedState::Pruned, "", 400));
  results.arms[1].runs.push_back(other_run(3, SeedState::Pruned, "", 400));
  const json rows = json::parse(format_table(results, TableFormat::Json));
  CHECK(rows[1]["seeds"] == 1);
  CHECK(rows[1]["val_loss_mean"] == 1.9);
  CHECK(rows[1]["states"] == "1 of 3 done; seeds 2, 3 pruned at step 400 of 1000");
  CHECK(format_table(results, TableFormat::Markdown).find("pruned at step 400 of 1000") !=
        std::string::npos);
}

TEST_CASE("what was not measured is null in JSON and empty in CSV", "[report]") {
  Results results = two_arms({1.80}, {});
  results.arms[1].runs.push_back(other_run(1, SeedState::Queued));
  const json rows = json::parse(format_table(results, TableFormat::Json));
  CHECK(rows[0]["val_loss_mean"] == 1.8);
  CHECK(rows[0]["val_loss_sd"].is_null());
  for (const char* key :
       {"val_loss_mean", "val_loss_best", "train_loss_mean", "tokens_per_s", "bytes_full"})
    CHECK(rows[1][key].is_null());
  CHECK(format_table(results, TableFormat::Csv) ==
        "arm,seeds,params,ternary_params,val_loss_mean,val_loss_sd,val_loss_best,train_loss_mean,"
        "tokens_per_s,"
        "wall_seconds,bytes_full,bytes_packed,seed_list,seeds_planned,states\n"
        "full,1,209153,0,1.8,,1.8,1.5,63000.0,52.0,838000,140000,1,1,1 of 1 done\n"
        "bit,0,207617,196608,,,,,,,,,,1,0 of 1 done; seed 1 not started\n");
}

TEST_CASE("the Markdown table reads as meant", "[report]") {
  const std::string text = format_table(with_failure(), TableFormat::Markdown);
  CHECK(text ==
        "| arm  | seeds | parameters | ternary |  final val loss |   best val loss |      train "
        "loss | tokens/s | wall "
        "time |   full | packed | runs                                             |\n"
        "|------|------:|-----------:|--------:|----------------:|----------------:|---------------"
        "-:|---------:|"
        "----------:|-------:|-------:|--------------------------------------------------|\n"
        "| full |     3 |    209,153 |   0.0 % | 1.8400 ± 0.0400 | 1.8100 ± 0.0265 | 1.5000 ± "
        "0.0000 |   63,000 |      "
        "52 s | 838 kB | 140 kB | 3 of 3 done                                      |\n"
        "| bit  |     2 |    207,617 |  94.7 % | 1.9100 ± 0.0141 | 1.9100 ± 0.0141 | 1.5000 ± "
        "0.0000 |   63,000 |      "
        "52 s | 838 kB | 140 kB | 2 of 3 done; seed 3 failed: diverged at step 120 |\n"
        "\nLosses in nats/character, mean ± sd over the seeds that are done; best is each seed's "
        "lowest. Tokens/s, wall "
        "time and model file sizes are those of one run. Data: tinyshakespeare.\n");
}

TEST_CASE("a table says that a training loss is of what was learned from", "[report]") {
  Results results = two_arms({1.8}, {1.9});
  const std::string learned = "Train loss is what the last tenth of the steps learned from";
  CHECK(format_table(results, TableFormat::Markdown).find(learned) == std::string::npos);
  SeedResult& run = results.arms[1].runs[0];
  std::erase_if(run.eval, [](const EvalRow& row) { return row.split == "train"; });
  run.train = {{1000, 0, 0, 7, 1e-3, 1}};
  CHECK(format_table(results, TableFormat::Markdown).find(learned) != std::string::npos);
}

TEST_CASE("the LaTeX table is a whole tabular with escaped cells", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.9});
  results.arms[1].name = "b_158 50%";
  const std::string text = format_table(results, TableFormat::Tex);
  CHECK(text.find("\\begin{tabular}{lrrrrrrrrrrl}\n\\hline\narm & seeds & ") != std::string::npos);
  CHECK(text.find("full & 3 & 209,153 & 0.0 \\% & 1.8400 $\\pm$ 0.0400 & ") != std::string::npos);
  CHECK(text.find("b\\_158 50\\% & 1 & 207,617 & 94.7 \\% & 1.9000 & ") != std::string::npos);
  CHECK(text.find("3 of 3 done \\\\\n") != std::string::npos);
  CHECK(text.rfind("\\hline\n\\end{tabular}\n") == text.size() - 21);
}

TEST_CASE("characters with a meaning are escaped", "[report]") {
  CHECK(escape_tex("a_b&50%$#{x}~^\\<|>") ==
        "a\\_b\\&50\\%\\$\\#\\{x\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{}"
        "\\textless{}\\textbar{}"
        "\\textgreater{}");
  CHECK(escape_markdown("a|b\\c*d`<e\nf_g") == "a\\|b\\\\c\\*d\\`\\<e f_g");
  CHECK(escape_csv("plain") == "plain");
  CHECK(escape_csv("a,\"b\"\nc") == "\"a,\"\"b\"\"\nc\"");
}

TEST_CASE("an arm's name cannot break the tables", "[report]") {
  Results results = two_arms({1.8}, {1.9});
  results.arms[0].name = "a|b, \"c\"";
  CHECK(format_table(results, TableFormat::Markdown).find("| a\\|b, \"c\" |") != std::string::npos);
  CHECK(format_table(results, TableFormat::Csv).find("\n\"a|b, \"\"c\"\"\",1,") !=
        std::string::npos);
  CHECK(json::parse(format_table(results, TableFormat::Json))[0]["arm"] == "a|b, \"c\"");
}

TEST_CASE("states name every seed that is not done", "[report]") {
  ArmResult arm{"a",
                0,
                0,
                {done_run(1, 1, 1), other_run(2, SeedState::Queued),
                 other_run(3, SeedState::Running, "", 1200),
                 other_run(4, SeedState::Interrupted, "the worker died", 7),
                 other_run(5, SeedState::Unreadable, "bad file"), other_run(6, SeedState::Queued),
                 other_run(7, SeedState::Queued)}};
  CHECK(describe_states(arm) ==
        "1 of 7 done; seed 2 not started; seed 3 running at step 1200 of 1000; seed 4 interrupted "
        "at step 7 of 1000: "
        "the worker died; seed 5 unreadable: bad file; seeds 6, 7 not started");
}

TEST_CASE("formats are known by name", "[report]") {
  CHECK(parse_table_format("latex") == TableFormat::Tex);
  CHECK(parse_table_format("tex") == TableFormat::Tex);
  CHECK(parse_table_format("json") == TableFormat::Json);
  CHECK_THROWS_AS(parse_table_format("xml"), UsageError);
}

TEST_CASE("numbers read well", "[report]") {
  CHECK(format_fixed(-0.0001, 3) == "0.000");
  CHECK(format_fixed(-0.0012, 3) == "-0.001");
  CHECK(format_count(0) == "0");
  CHECK(format_count(999) == "999");
  CHECK(format_count(1115394) == "1,115,394");
  CHECK(format_count(-123456) == "-123,456");
  CHECK(format_duration(8.24) == "8.2 s");
  CHECK(format_duration(59.4) == "59 s");
  CHECK(format_duration(59.6) == "1 min 00 s");
  CHECK(format_duration(252) == "4 min 12 s");
  CHECK(format_duration(3600 * 3 + 300) == "3 h 05 min");
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(1234) == "1.2 kB");
  CHECK(format_bytes(838000) == "838 kB");
  CHECK(format_bytes(999600) == "1.0 MB");
  CHECK(format_bytes(1400000000) == "1.4 GB");
}

}  // namespace
}  // namespace bitlab
