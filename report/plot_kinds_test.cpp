// The figures of sweeps: final losses, differences, heat maps, parallel coordinates, ternary
// weights.
#include "core/base/error.h"
#include "report/plot_axis.h"
#include "report/plot_curves.h"
#include "report/plot_final.h"
#include "report/plot_heatmap.h"
#include "report/plot_paired.h"
#include "report/plot_parallel.h"
#include "report/plot_ternary.h"
#include "report/plot_test.h"
#include "report/quant_rows.h"
#include "report/sweep_axes.h"

namespace bitlab {
namespace {

TEST_CASE("a sweep in which all runs failed", "[plot]") {
  Results results = sweep({kLr, kQuantizer});
  for (ArmResult& arm : results.arms)
    for (SeedResult& run : arm.runs) fail_run(run);
  check_drawn(curves_figure(results));
  const std::optional<Figure> figure = final_figure(results);
  check_drawn(figure);
  CHECK(contains(figure->script, "32 failed"));
  CHECK_FALSE(heatmap_figure(results));
  CHECK_FALSE(parallel_figure(results));
  CHECK_FALSE(paired_figure(results));
}

TEST_CASE("final losses: a line an arm, a dot a seed, failures counted above", "[plot]") {
  Results results = sweep({kLr}, 3);
  for (SeedResult& run : results.arms[3].runs) fail_run(run);  // full at the highest
  fail_run(results.arms[2].runs[0]);
  results.arms[7].runs[0].state = SeedState::Pruned;
  const std::optional<Figure> figure = final_figure(results);
  check_drawn(figure);
  const std::string& script = figure->script;
  CHECK(contains(script, "set logscale x"));
  CHECK(contains(script, "4 failed (cross and number)"));
  CHECK(contains(script, "pruned"));
  CHECK(count_of(script, "pt 6 ps") == 1);
  CHECK(contains(script, "'full, best 2.020 at 3e-4'"));
  CHECK(count_of(script, "pt 2 ps") == 2);  // two points of `full` have failed runs
  CHECK(contains(script, "set label '3' at"));
  CHECK(contains(script, "0.0003 2.01\n0.0003 2.02\n0.0003 2.03\n"));  // the dots
  CHECK(contains(script, "0.0003 2.02 2.01 2.03\n"));                  // the mean and its band
}

TEST_CASE("final losses over words have no line between them", "[plot]") {
  const std::optional<Figure> figure = final_figure(sweep({kQuantizer}));
  check_drawn(figure);
  CHECK(contains(figure->script, "with vectors nohead"));
  CHECK_FALSE(contains(figure->script, "filledcurves"));
  CHECK(contains(figure->script, "'absmedian' 1"));
  FinalRequest request;
  request.x = "arm";
  check_drawn(final_figure(sweep({kQuantizer}), request));
  request.x = "lr";
  CHECK_THROWS_AS(final_figure(sweep({kQuantizer}), request), UsageError);
}

TEST_CASE("of settings that move together one stands for all", "[plot]") {
  Results results = sweep({kLr, {"model.d_model", {"16", "32"}}});
  for (ArmResult& arm : results.arms) {  // n_layer and d_ff go with d_model
    const std::string width = arm.axes[1].text;
    arm.axes.push_back({"model.d_ff", width + "0", std::stod(width + "0")});
    arm.axes.push_back({"model.n_layer", "2", 2.0});
  }
  CHECK(sweep_axes(results).size() == 3);
  results.zipped = {{"model.n_layer", "model.d_model", "model.d_ff"}};
  const auto paths = [&](const std::vector<std::string>& named) {
    std::string list;
    for (const SweepAxis& axis : sweep_axes(results, named)) list += axis.path + " ";
    return list;
  };
  CHECK(paths({}) == "optim.lr model.d_model ");
  CHECK(paths({"d_ff"}) == "optim.lr model.d_ff ");
  CHECK(paths({"optim.lr"}) == "optim.lr model.d_model ");
  const std::string script = final_figure(results)->script;
  CHECK(contains(script, "optim.lr"));
  CHECK(contains(script, "d_model=16"));
  CHECK_FALSE(contains(script, "d_ff"));
  CHECK(contains(final_figure(results, {.x = "d_ff"})->script, "model.d_ff"));
  check_drawn(heatmap_figure(results));
}

TEST_CASE("differences are taken at the same point and seed", "[plot]") {
  Results results = sweep({kLr}, 3);
  std::vector<PairedRow> rows = paired_rows(results);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].label == "lr=3e-4");
  CHECK(rows[3].differences.size() == 3);
  CHECK(rows[3].sum->mean == Approx(0.5));
  results.arms.resize(4);  // `full` alone: against its first point
  rows = paired_rows(results);
  REQUIRE(rows.size() == 3);
  CHECK(rows[2].sum->mean == Approx(0.3));
  fail_run(results.arms[3].runs[1]);
  CHECK(paired_rows(results)[2].seeds == std::vector<std::int64_t>{1, 3});
  check_drawn(paired_figure(results));
}

TEST_CASE("one comparison has a line a seed, and no interval from one", "[plot]") {
  std::optional<Figure> figure = paired_figure(two_arms({1.8, 1.81}, {1.9, 1.93}));
  check_drawn(figure);
  for (const char* text : {"'seed 1'", "'+0.100'", "'+0.120'", "'mean'", "95 % t interval"})
    CHECK(contains(figure->script, text));
  figure = paired_figure(two_arms({1.8}, {1.9}));
  check_drawn(figure);
  CHECK(contains(figure->script, "no interval can be given"));
  CHECK_FALSE(contains(figure->script, "95 % t interval"));
}

TEST_CASE("a heat map has the mean in each cell and a cross where all failed", "[plot]") {
  Results results = sweep({kLr, kDecay});
  for (SeedResult& run : results.arms[0].runs) fail_run(run);
  fail_run(results.arms[1].runs[0]);
  std::optional<Figure> figure = heatmap_figure(results);
  check_drawn(figure);
  CHECK(contains(figure->script, "'2.120'"));  // a single seed
  CHECK(contains(figure->script, "'1 of 2'"));
  CHECK(contains(figure->script, "'3.615'"));
  CHECK(count_of(figure->script, "pt 2 ps") == 1);
  CHECK(contains(figure->script, "3 runs failed"));
  figure = heatmap_figure(results, "weight_decay", "optim.lr");
  CHECK(contains(figure->script, "'optim.lr' at screen 0.02"));  // upright, at the left
  CHECK_THROWS_AS(heatmap_figure(results, "lr", "lr"), UsageError);
  CHECK_THROWS_AS(heatmap_figure(results, "d_model"), UsageError);
}

TEST_CASE("parallel coordinates have an axis each, and the best line on top", "[plot]") {
  Results results = sweep({kLr, kQuantizer, kDecay});
  for (SeedResult& run : results.arms[5].runs) fail_run(run);
  const std::optional<Figure> figure = parallel_figure(results);
  check_drawn(figure);
  for (const char* text : {"'arm'", "'lr'", "'quantizer'", "'weight_decay'", "'final loss'"})
    CHECK(contains(figure->script, text));
  CHECK(contains(figure->script, "finished run"));
  CHECK(count_of(figure->script, "using 1:2 with lines") == 48);
  // The last line is that of the lowest loss: it ends at the foot of the last axis.
  CHECK(contains(figure->script, "$t47 << EOD\n0 0.25\n1 0\n2 0.25\n3 0\n4 0\nEOD"));
}

TEST_CASE("matrices are placed by kind and block", "[plot]") {
  CHECK(layer_place("blocks.12.attn.wq.weight").kind == "attn.wq");
  CHECK(layer_place("blocks.12.attn.wq.weight").block == 12);
  CHECK(layer_place("head.weight").kind == "head");
  CHECK_FALSE(layer_place("head.weight").block);
}

TEST_CASE("ternary weights: shares, and flips from the second row on", "[plot]") {
  Results results = two_arms({1.8}, {1.9});
  std::vector<QuantRow> rows;
  for (std::int64_t step = 0; step <= 1000; step += 250)
    for (int block = 0; block < 2; ++block)
      for (const char* kind : {"attn.wq", "ffn.w1"})
        rows.push_back({step, "blocks." + std::to_string(block) + "." + kind + ".weight", 0.3,
                        0.375, 0.325, step == 0 ? 0 : 0.5 / static_cast<double>(step), 0.02});
  const std::optional<Figure> figure = ternary_figure(results, results.arms[1], {rows, rows});
  check_drawn(figure);
  CHECK(count_of(figure->script, "\nplot ") == 6);
  CHECK(contains(figure->script, "'bit: its 4 ternary matrices by kind; mean of 2 seeds"));
  CHECK(contains(figure->script, "250 0.375\n"));
  CHECK(contains(figure->script, "250 0.002\n"));
  CHECK_FALSE(contains(figure->script, "\n0 0\n"));  // nothing flips before the first row
  for (QuantRow& row : rows) row.flips = 0;          // frozen: no logarithmic axis
  check_drawn(ternary_figure(results, results.arms[1], {rows}));
  CHECK_FALSE(ternary_figure(results, results.arms[1], {{}}));
}

TEST_CASE("the ternary arm that is shown is the best one", "[plot]") {
  Results results = sweep({kLr});
  CHECK(ternary_arm(results) == &results.arms[4]);
  for (SeedResult& run : results.arms[4].runs) fail_run(run);
  CHECK(ternary_arm(results) == &results.arms[5]);
  results.arms.resize(4);
  CHECK(ternary_arm(results) == nullptr);
}

}  // namespace
}  // namespace bitlab
