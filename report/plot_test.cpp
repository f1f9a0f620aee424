// The figures: what their scripts hold, and that gnuplot draws them the same each time.
#include "report/plot_test.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "core/base/error.h"
#include "report/figures.h"
#include "report/plot_axis.h"
#include "report/plot_curves.h"
#include "report/plot_final.h"
#include "report/plot_heatmap.h"
#include "report/plot_paired.h"
#include "report/plot_parallel.h"
#include "report/plot_ternary.h"
#include "report/sweep_axes.h"

namespace bitlab {
namespace {

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

TEST_CASE("texts below panels stand clear of each other", "[plot]") {
  const auto texts = [](double high, PanelEdge edge) {
    std::string all;
    for (const Tic& tic : fitted_axis(0, high, false, edge).tics) all += tic.text + "|";
    return all;
  };
  CHECK(texts(17852, {320, 34}) == "0|5000|10000|15000|");
  CHECK(texts(17852, {700, 34}) == "0|2000|4000|6000|8000|10000|12000|14000|16000|");
  CHECK(texts(5000, {100, 12}) == "0|2000|4000|");
  CHECK(texts(5000, {20, 12}) == "0||");  // no room for any but the first
  // What would touch the first text of the panel to the right has none.
  CHECK(texts(10000, {100, 12}) == "0|5000||");
  CHECK(texts(10000, {100, 34}) == "0|5000|10000|");
  CHECK(texts(10000, {100, 100}) == "0|5000|10000|");
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

TEST_CASE("a figure says how training losses were averaged and which are out of it", "[plot]") {
  Results results = two_arms({1.8}, {1.9});  // both start at 4
  double loss = 3;
  for (ArmResult& arm : results.arms) {
    std::erase_if(arm.runs[0].eval, [](const EvalRow& row) { return row.split == "train"; });
    for (std::int64_t step = 10; step <= 1000; step += 10)
      arm.runs[0].train.push_back({step, 0, 0, loss, 1e-3, 1});
    loss = 7;  // with what a teacher adds
  }
  const std::optional<Figure> figure = curves_figure(results);
  REQUIRE(figure);
  CHECK(contains(figure->script, "; training: means of about 5 % of the steps"));
  CHECK(contains(figure->script, "; training of bit above the frame"));
  CHECK_FALSE(contains(figure->script, "training of full"));
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
