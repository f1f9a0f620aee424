// The figures: what their scripts hold, and that gnuplot draws them the same each time.
#include <chrono>
#include <cmath>
#include <thread>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "report/fake_results.h"
#include "report/figures.h"
#include "report/plot_axis.h"
#include "report/plot_curves.h"
#include "report/plot_final.h"
#include "report/plot_heatmap.h"
#include "report/plot_paired.h"
#include "report/plot_parallel.h"
#include "report/plot_ternary.h"
#include "report/quant_rows.h"
#include "report/sweep_axes.h"

namespace bitlab {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

struct Setting {
  std::string path;
  std::vector<std::string> values;
};

// Arms `full` and `bit` at all points of a grid, with `seeds` finished runs each. The loss grows
// with each index: 2 + 0.1 a point, + 0.5 of `bit`, + 0.01 a seed.
Results sweep(const std::vector<Setting>& settings, int seeds = 2) {
  Results results = two_arms({}, {});
  results.arms.clear();
  std::size_t points = 1;
  for (const Setting& setting : settings) points *= setting.values.size();
  for (const std::string base : {"full", "bit"})
    for (std::size_t p = 0; p < points; ++p) {
      ArmResult arm;
      arm.name = arm.base = base;
      arm.tokens_per_step = 512;
      arm.ternary_params = base == "bit" ? 1000 : 0;
      std::size_t rest = p;
      for (const Setting& setting : settings) {
        const std::string& text = setting.values[rest % setting.values.size()];
        rest /= setting.values.size();
        SweptValue value{setting.path, text, std::nullopt};
        if (std::isdigit(text[0])) value.number = std::stod(text);
        arm.axes.push_back(value);
        arm.name += " " + setting.path + "=" + text;
      }
      for (int seed = 1; seed <= seeds; ++seed) {
        const double loss =
            2 + 0.1 * static_cast<double>(p) + (base == "bit" ? 0.5 : 0) + 0.01 * seed;
        arm.runs.push_back(done_run(seed, loss, loss));
      }
      results.arms.push_back(arm);
    }
  results.baseline = "full";
  return results;
}

const Setting kLr{"optim.lr", {"0.0003", "0.001", "0.003", "0.01"}};
const Setting kQuantizer{"model.quantizer", {"absmean", "absmedian"}};
const Setting kDecay{"optim.weight_decay", {"0.0", "0.1", "0.01"}};

void fail_run(SeedResult& run) {
  run = other_run(run.seed, SeedState::Failed, "diverged at step 12", 12);
  run.eval = {{0, "val", 4, 0, 1}};
}

// Every format of every figure can be drawn, and `script` is valid gnuplot.
void check_drawn(const std::optional<Figure>& figure) {
  REQUIRE(figure);
  CHECK(contains(draw(*figure, ImageFormat::Svg), "</svg>"));
}

TEST_CASE("settings are written short", "[plot]") {
  CHECK(short_number(3e-4) == "3e-4");
  CHECK(short_number(5.792e-4) == "5.79e-4");
  CHECK(short_number(0.001) == "0.001");
  CHECK(short_number(12288) == "12288");
  CHECK(short_number(0) == "0");
  CHECK(short_number(2.5e7) == "2.5e7");
  CHECK(short_number(-1e-10) == "-1e-10");
}

TEST_CASE("tics are round, inside, and told apart", "[plot]") {
  const auto texts = [](const std::vector<Tic>& tics) {
    std::vector<std::string> out;
    for (const Tic& tic : tics) out.push_back(tic.text);
    return out;
  };
  CHECK(texts(linear_tics(0, 5000)) ==
        std::vector<std::string>{"0", "1000", "2000", "3000", "4000", "5000"});
  CHECK(texts(linear_tics(0, 2.56e6)) ==
        std::vector<std::string>{"0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"});
  CHECK(texts(linear_tics(1.98, 2.01, 3)) ==
        std::vector<std::string>{"1.98", "1.99", "2.00", "2.01"});
  CHECK(texts(log_tics(2.4e-4, 3.8e-2, 5)) ==
        std::vector<std::string>{"3e-4", "1e-3", "3e-3", "1e-2", "3e-2"});
  CHECK(texts(log_tics(1.8, 2.4, 4)) == std::vector<std::string>{"1.8", "2.0", "2.2", "2.4"});
  CHECK(linear_tics(1, 1).empty());
  const PlotAxis axis = number_axis(1, 100, true);
  CHECK(axis.fraction(10) == Approx(0.5));
}

TEST_CASE("the ramp's lightness rises evenly", "[plot]") {
  // CIE L* from sRGB (IEC 61966-2-1).
  const auto lightness = [](const std::string& colour) {
    const auto linear = [&](std::size_t at) {
      const double c = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
      return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    const double y = 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
    return 116 * std::cbrt(y) - 16;
  };
  for (int i = 1; i <= 8; ++i) {
    const double step = lightness(ramp_colour(i / 8.0)) - lightness(ramp_colour((i - 1) / 8.0));
    CHECK(step > 7);
    CHECK(step < 12);
  }
  CHECK(ramp_colour(-1) == "#440154");
  CHECK(ramp_colour(2) == "#fde725");
}

TEST_CASE("a sweep's axes have their values in order", "[plot]") {
  const Results results = sweep({kDecay, kQuantizer, {"model.d_ff", {"256"}}});
  const std::vector<SweepAxis> axes = sweep_axes(results);
  REQUIRE(axes.size() == 2);  // one value is no axis
  CHECK(axes[0].name == "weight_decay");
  CHECK(axes[0].numeric);
  CHECK(axes[0].values[1].text == "0.01");
  CHECK_FALSE(axes[0].log());  // 0 has no place on it
  CHECK_FALSE(axes[1].numeric);
  CHECK(&find_axis(axes, "model.quantizer") == &axes[1]);
  CHECK(contains(message_of([&] { find_axis(axes, "quantiser"); }), "did you mean 'quantizer'?"));
  CHECK(find_axis(sweep_axes(sweep({kLr, {"a.lr", {"1", "2"}}})), "a.lr").name == "a.lr");
}

TEST_CASE("curves over seconds are merged step by step", "[plot]") {
  Results results = two_arms({1.8, 1.9}, {});
  for (SeedResult& run : results.arms[0].runs)
    run.train = {{500, 0, 10.0 * static_cast<double>(run.seed), 2, 1e-3, 1},
                 {1000, 0, 20.0 * static_cast<double>(run.seed), 2, 1e-3, 1}};
  CurveRequest request;
  request.x = CurveX::Seconds;
  const CurveLine line = curve_lines(results, request).front();
  REQUIRE(line.main.size() == 3);
  CHECK(line.main[0].x == 0);
  CHECK(line.main[1].x == Approx(15));
  CHECK(line.main[2].x == Approx(30));
  CHECK(line.main[2].mean == Approx(1.85));
  request.x = CurveX::Tokens;
  results.arms[0].tokens_per_step = 512;
  CHECK(curve_lines(results, request).front().main.back().x == 512000);
  request.x = CurveX::Flops;
  CHECK(contains(message_of([&] { curve_lines(results, request); }), "the plan has none"));
  results.arms[0].flops_per_token = results.arms[1].flops_per_token = 1e6;
  CHECK(curve_lines(results, request).front().main.back().x == 512e9);
}

TEST_CASE("a band of one standard deviation", "[plot]") {
  const auto curve = mean_curve({{{0, 1}}, {{0, 2}}, {{0, 3}}}, Band::Sd);
  CHECK(curve[0].low == Approx(1));
  CHECK(curve[0].high == Approx(3));
  CHECK(mean_curve({{{0, 1}}}, Band::Sd)[0].high == 1);
}

TEST_CASE("the envelope on a logarithmic axis keeps spikes in its narrow parts", "[plot]") {
  std::vector<CurvePoint> curve;
  for (int i = 1; i <= 100000; ++i) curve.push_back({double(i), 1, 1, 1});
  curve[99990].mean = 5;
  const auto small = envelope(curve, 50, true);
  CHECK(small.size() <= 100);
  CHECK(small.front().x == 1);
  CHECK(std::any_of(small.begin(), small.end(), [](auto& p) { return p.mean == 5; }));
}

TEST_CASE("groups pool what their keys leave out", "[plot]") {
  const Results results = sweep({kLr, kQuantizer});
  CHECK(curve_lines(results, {}).size() == 16);
  CurveRequest request;
  request.group = {"arm"};
  auto lines = curve_lines(results, request);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].runs == 16);
  CHECK(lines[0].label == "full");
  request.group = {"lr"};
  lines = curve_lines(results, request);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].name == "lr=3e-4");
  request.group = {"arm", "seed"};
  CHECK(curve_lines(results, request)[1].name == "full seed 2");
  request.group = {"lr", "nonsense"};
  CHECK_THROWS_AS(curve_lines(results, request), UsageError);
}

TEST_CASE("many variants are coloured along their longest setting, in panels", "[plot]") {
  const std::optional<Figure> figure = curves_figure(sweep({kLr, kQuantizer}));
  REQUIRE(figure);
  CHECK(contains(figure->script, "set multiplot"));
  CHECK(count_of(figure->script, "\nplot ") == 4);
  for (const char* text : {"'full, absmean'", "'bit, absmedian'", "'optim.lr'", "'3e-4'", "'0.01'"})
    CHECK(contains(figure->script, text));
  CHECK(contains(figure->script, ramp_colour(0)));
  CHECK(contains(figure->script, ramp_colour(kRampLineEnd)));
  check_drawn(figure);
}

TEST_CASE("many arms without settings have a panel each", "[plot]") {
  Results results = two_arms({1.8}, {1.9});
  for (int i = 0; i < 8; ++i) {
    results.arms.push_back(results.arms[1]);
    results.arms.back().name = "arm " + std::to_string(i);
  }
  const std::optional<Figure> figure = curves_figure(results);
  REQUIRE(figure);
  CHECK(count_of(figure->script, "\nplot ") == 10);
  CHECK(contains(figure->script, "'all others'"));
  for (int i = 0; i < 20; ++i) {
    results.arms.push_back(results.arms[1]);
    results.arms.back().name = "more " + std::to_string(i);
  }
  const std::optional<Figure> crowd = curves_figure(results);  // 30 arms
  REQUIRE(crowd);
  CHECK(count_of(crowd->script, "\nplot ") == 1);
  CHECK(contains(crowd->script, "'the other 23'"));
  CHECK(contains(crowd->script, "'full 1.800'"));  // ends lowest
}

TEST_CASE("an axis says what its numbers are means of", "[plot]") {
  Results results = two_arms({1.8}, {1.9});
  for (ArmResult& arm : results.arms)
    for (std::int64_t step = 50; step <= 1000; step += 50)
      arm.runs[0].train.push_back({step, 0, 0, 2, 1e-3, 1});
  CurveRequest request;
  request.y = CurveY::BatchLoss;
  CHECK(contains(curves_figure(results, request)->script,
                 "'loss of the batches, mean of 50 steps (nats per character)'"));
  request.y = CurveY::LearningRate;
  check_drawn(curves_figure(results, request));
  request.y = CurveY::GradNorm;
  request.log_x = request.log_y = true;
  const std::optional<Figure> figure = curves_figure(results, request);
  CHECK(contains(figure->script, "set logscale x"));
  CHECK(contains(figure->script, "set logscale y"));
  request.y = CurveY::ValLoss;
  CHECK(contains(curves_figure(results, request)->script, "points at 0 left out"));
  check_drawn(figure);
}

TEST_CASE("odd data are drawn or refused, never lost", "[plot]") {
  Results one = two_arms({1.8}, {});
  check_drawn(curves_figure(one));
  one.arms[0].runs[0].eval = {{0, "val", 4, 0, 1}};  // one point
  check_drawn(curves_figure(one));
  CurveRequest log;
  log.log_x = true;
  CHECK_FALSE(curves_figure(one, log));  // that of step 0
  one.arms[0].runs[0].eval = {{0, "val", NAN, 0, 1}, {10, "val", INFINITY, 0, 1}};
  CHECK_FALSE(curves_figure(one));
  CHECK_FALSE(final_figure(two_arms({}, {})));
  CHECK_FALSE(heatmap_figure(two_arms({1}, {2})));
  CHECK_FALSE(parallel_figure(two_arms({1}, {2})));
  CHECK_FALSE(paired_figure(two_arms({1}, {})));
  CHECK_FALSE(ternary_figure(two_arms({1}, {})));
  CHECK(standard_figures(Results{}).empty());
  for (const std::string& kind : figure_kinds()) {
    PlotRequest request;
    request.kind = kind;
    CHECK_FALSE(plot(Results{}, request));
  }
}

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

TEST_CASE("an experiment gets the figures that it has something for", "[plot]") {
  const auto kinds = [](const Results& results) {
    std::vector<std::string> names;
    for (const NamedFigure& figure : standard_figures(results)) names.push_back(figure.kind);
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(kinds(two_arms({1.8}, {1.9})) == Names{"curves"});
  CHECK(kinds(two_arms({1.8, 1.8}, {1.9, 1.9})) == Names{"curves", "paired"});
  CHECK(kinds(sweep({kLr}, 1)) == Names{"curves", "final"});
  CHECK(kinds(sweep({kLr, kDecay}, 1)) == Names{"curves", "final", "heatmap"});
  CHECK(kinds(sweep({kLr, kDecay, kQuantizer}, 1)) == Names{"curves", "final", "parallel"});
  Results scattered = sweep({kLr, {"a", {"1", "2", "3", "4"}}}, 1);
  for (std::size_t i = scattered.arms.size(); i-- > 0;)
    if (i % 16 % 5 != 0) scattered.arms.erase(scattered.arms.begin() + static_cast<long>(i));
  CHECK(kinds(scattered) == Names{"curves", "final", "parallel"});
}

TEST_CASE("wrong requests are refused, with what was meant", "[plot]") {
  const Results results = two_arms({1.8}, {1.9});
  const auto refusal = [&](const PlotRequest& request) {
    return message_of([&] { plot(results, request); });
  };
  CHECK(contains(refusal({.kind = "curve"}), "did you mean 'curves'?"));
  CHECK(contains(refusal({.x = "secnds"}), "did you mean 'seconds'?"));
  CHECK(contains(refusal({.y = "los"}), "did you mean 'loss'?"));
  CHECK(contains(refusal({.band = "ci"}), "minmax, sd"));
  CHECK(contains(refusal({.log = {"z"}}), "x, y"));
  CHECK(contains(refusal({.kind = "paired", .x = "lr"}), "--x must be left out"));
  CHECK_THROWS_AS(plot(results, {.kind = "curve"}), UsageError);
  CHECK_THROWS_AS(parse_image_format("gif"), UsageError);
}

TEST_CASE("the same figure gives the same bytes, at any time and place", "[plot]") {
  const Figure figure = *final_figure(sweep({kLr}));
  std::vector<std::string> first;
  for (const ImageFormat format : {ImageFormat::Svg, ImageFormat::Png, ImageFormat::Pdf})
    first.push_back(draw(figure, format));
  CHECK(first[2].substr(0, 5) == "%PDF-");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // dates have seconds
  ::setenv("TZ", "Asia/Tokyo", 1);
  ::setenv("LC_ALL", "de_DE.UTF-8", 1);
  std::size_t i = 0;
  for (const ImageFormat format : {ImageFormat::Svg, ImageFormat::Png, ImageFormat::Pdf})
    CHECK((draw(figure, format) == first[i++]));
  ::unsetenv("TZ");
  ::unsetenv("LC_ALL");
}

}  // namespace
}  // namespace bitlab
