#include "report/plot_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "report/format.h"
#include "report/labels.h"
#include "report/plot_curves_view.h"
#include "report/plot_page.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostBoth = 4;  // lines that are drawn with validation and training
constexpr const char* kLoggedMeans = "means of about 5 % of the steps";

std::string x_title(const CurveView& view) {
  // Where losses are per text or per masked token, steps still read tokens.
  const std::string& per = view.results.data.unit;
  const std::string unit = per == "text" || per == "masked token" ? "token" : per;
  const std::int64_t each = view.results.tokens_per_step;
  const bool same =
      std::all_of(view.results.arms.begin(), view.results.arms.end(), [&](const ArmResult& arm) {
        return arm.tokens_per_step == each || arm.tokens_per_step == 0;
      });
  switch (view.request.x) {
    case CurveX::Step:
      return "optimiser step" +
             (each > 0 && same ? fmt::format(" ({} {}s each)", format_count(each), unit) : "");
    case CurveX::Tokens:
      return unit + "s trained on";
    case CurveX::Seconds:
      return "seconds of training, evaluation not counted";
    case CurveX::Flops:
      return "FLOPs of training";
  }
  return "";
}

std::string y_title(const CurveView& view) {
  const std::string unit = " (nats per " + view.results.data.unit + ")";
  const bool logged = std::any_of(view.lines.begin(), view.lines.end(),
                                  [](const CurveLine& line) { return line.train_as_logged; });
  switch (view.request.y) {
    case CurveY::Loss:
      return "loss" + unit;
    case CurveY::ValLoss:
      return "validation loss" + unit;
    case CurveY::TrainLoss:
      return "training loss" + (logged ? std::string(", ") + kLoggedMeans : "") + unit;
    case CurveY::BatchLoss: {
      const std::int64_t each = log_interval(view.results);
      return "loss of the batches" +
             (each > 1 ? fmt::format(", mean of {} steps", each) : std::string()) + unit;
    }
    case CurveY::LearningRate:
      return "learning rate";
    case CurveY::GradNorm:
      return "norm of the gradient, before clipping";
    case CurveY::Accuracy:
      return "accuracy on the validation texts";
    case CurveY::F1:
      return "F1 on the validation texts, weighted by labels";
  }
  return "";
}

std::string describe_runs(const CurveView& view) {
  std::size_t least = std::numeric_limits<std::size_t>::max(), most = 0;
  for (const CurveLine& line : view.lines) {
    if (line.runs == 0) continue;
    least = std::min(least, line.runs);
    most = std::max(most, line.runs);
  }
  const std::size_t keys_of_all = 1 + sweep_axes(view.results, view.request.group).size();
  const bool seeds = view.request.group.empty() || view.keys.size() == keys_of_all;
  if (most == 1) return seeds ? "one seed" : "one run a line";
  const std::string range = least == most ? "" : fmt::format("{} to ", least);
  return fmt::format("mean (line) and {} (band) of {}{} {}",
                     view.request.band == Band::Sd ? "one standard deviation" : "range", range,
                     most, seeds ? "seeds" : "runs");
}

// What the picture shows and how: data, seeds, and what a reader could not see.
std::string note_of(const CurveView& view) {
  double start = 0;
  bool logged = false;
  for (const CurveLine& line : view.lines) {
    if (!line.main.empty()) start = std::max(start, line.main.front().mean);
    logged |= line.train_as_logged;
  }
  std::string text = "Data: " + view.results.data.source + "; " + describe_runs(view);
  if (logged)
    text += std::string("; training: ") + kLoggedMeans;
  else if (view.request.y != CurveY::BatchLoss || log_interval(view.results) <= 1)
    text += "; no smoothing";
  if (start > view.y.high)
    text += fmt::format("; starts at {}, above the frame", format_fixed(start, 2));
  const auto out = std::count_if(view.lines.begin(), view.lines.end(), [&](const CurveLine& line) {
    return !line.main.empty() && line.main.back().mean > view.y.high;
  });
  if (out > 0) text += fmt::format("; {} of {} end above the frame", out, view.lines.size());
  for (const CurveLine& line : view.lines)
    if (!line.train.empty() &&
        std::all_of(line.train.begin(), line.train.end(),
                    [&](const CurvePoint& p) { return p.low > view.y.high; }))
      text += "; training of " + line.name + " above the frame";
  if (view.dropped) text += "; points at 0 left out";
  const auto unfinished = std::count_if(view.lines.begin(), view.lines.end(),
                                        [](const CurveLine& line) { return !line.finished; });
  if (view.small() && unfinished > 0)
    text += fmt::format("; dotted: {} without a finished run", unfinished);
  return text;
}

bool shows(const CurveView& view, const ReferenceLine& r) {
  return r.loss > view.y.low && r.loss < view.y.high;
}

bool with_references(const CurveView& view) {
  return view.is_loss() &&
         std::any_of(view.results.references.begin(), view.results.references.end(),
                     [&](const ReferenceLine& r) { return shows(view, r); });
}

template <class Visit>
void each_point(const std::vector<CurveLine>& lines, Visit visit) {
  for (const CurveLine& line : lines)
    for (const auto* curve : {&line.main, &line.train})
      for (const CurvePoint& point : *curve) visit(point);
}

// On a logarithmic axis what is not above 0 has no place.
void drop_unplaceable(CurveView& view) {
  for (CurveLine& line : view.lines)
    for (auto* curve : {&line.main, &line.train})
      view.dropped |=
          0 < std::erase_if(*curve, [&](const CurvePoint& p) {
            return (view.request.log_x && p.x <= 0) || (view.request.log_y && p.mean <= 0);
          });
}

PlotAxis x_axis(const CurveView& view, PanelEdge edge) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  each_point(view.lines, [&](const CurvePoint& p) {
    low = std::min(low, p.x);
    high = std::max(high, p.x);
  });
  // A run that is still young is shown on the way that it has to go, unless that is very far.
  const auto steps = static_cast<double>(view.results.steps);
  if (view.request.x == CurveX::Step && high * 3 > steps) high = std::max(high, steps);
  if (!view.request.log_x) low = 0;
  if (high <= low) high = low + (low > 0 ? low : 1);
  return fitted_axis(low, high, view.request.log_x, edge);
}

PlotAxis y_axis(const CurveView& view) {
  const CurveRequest& request = view.request;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  if (view.is_loss()) {
    std::tie(low, high) =
        loss_range(view.lines, view.results.references, request.log_x || request.log_y);
  } else {
    each_point(view.lines, [&](const CurvePoint& p) {
      low = std::min(low, request.log_y && p.low <= 0 ? p.mean : p.low);
      high = std::max(high, p.high);
    });
    if (!request.log_y && !view.is_score()) low = std::min(low, 0.0);
    if (view.is_score()) low -= 0.04 * (high - low);
    high = high > low ? high : low + (low > 0 ? low : 1);
    if (!request.log_y) high += 0.04 * (high - low);
  }
  if (request.log_y && low <= 0) {  // the room below the lowest loss
    each_point(view.lines,
               [&](const CurvePoint& p) { low = low > 0 ? std::min(low, p.mean) : p.mean; });
  }
  // The digits that the script has, so that bands are cut exactly at the frame.
  const auto rounded = [](double x) { return std::stod(fmt::format("{:.6g}", x)); };
  PlotAxis axis =
      number_axis(rounded(low), rounded(high), request.log_y, view.panels.size() > 3 ? 3 : 5);
  axis.grid = true;
  return axis;
}

std::string rows_of(const CurveView& view, const std::vector<CurvePoint>& curve, double width) {
  std::string rows;
  const auto columns = static_cast<std::size_t>(width * kPngScale);
  for (const CurvePoint& p :
       clip_band(envelope(curve, columns, view.request.log_x), view.y.low, view.y.high))
    rows += fmt::format("{:.8g} {:.6g} {:.6g} {:.6g}\n", p.x, p.mean, p.low, p.high);
  return rows;
}

void add_data(const CurveView& view, double width, PlotPage& page) {
  for (std::size_t i = 0; i < view.lines.size(); ++i) {
    const CurveLine& line = view.lines[i];
    if (!line.main.empty()) page.data(fmt::format("main{}", i), rows_of(view, line.main, width));
    if (!line.train.empty()) page.data(fmt::format("train{}", i), rows_of(view, line.train, width));
  }
}

std::vector<std::string> plot_elements(const CurveView& view, const CurvePanel& panel) {
  std::vector<std::string> behind, bands, trains, mains;
  const double thin = view.small() ? 0.7 : 1;
  for (const CurveStroke& stroke : panel.strokes) {
    const CurveLine& line = view.lines[stroke.line];
    const auto band = [&](const char* name, double opacity) {
      if (line.runs > 1 && !stroke.behind)
        bands.push_back(
            fmt::format("${}{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid {} "
                        "noborder notitle",
                        name, stroke.line, stroke.colour, opacity));
    };
    const auto curve = [&](const char* name, const std::string& style) {
      return fmt::format("${}{} using 1:2 with lines {} lc rgb '{}' notitle", name, stroke.line,
                         style, stroke.colour);
    };
    if (!line.main.empty()) {
      band("main", 0.2 * thin);
      const bool one_point = line.main.size() == 1;
      const char* dash = view.small() && !line.finished ? " dt (2,2)" : "";
      const std::string style = fmt::format("lw {}{}", stroke.behind ? 0.8 : 2 * thin, dash);
      (stroke.behind ? behind : mains).push_back(curve("main", style));
      if (one_point)
        mains.push_back(fmt::format("$main{} using 1:2 with points pt 7 ps 0.5 lc rgb '{}' notitle",
                                    stroke.line, stroke.colour));
    }
    if (!line.train.empty()) {
      band("train", 0.1);
      trains.push_back(curve("train", "lw 1.2 dt (6,4)"));
    }
  }
  for (const auto* part : {&bands, &mains, &trains})
    behind.insert(behind.end(), part->begin(), part->end());
  return behind;
}

std::vector<SideLabel> side_labels(const CurveView& view) {
  std::vector<SideLabel> labels;
  const auto add = [&](const std::string& name, double value, const std::string& colour) {
    const std::string number = view.is_loss() ? format_fixed(value, 3) : short_number(value);
    labels.push_back({value, shortened(name, kLabelChars - 6) + " " + number, colour});
  };
  if (view.is_loss())
    for (const ReferenceLine& r : view.results.references)
      if (shows(view, r)) add(r.name, r.loss, kGrey);
  if (view.small()) return labels;
  for (const CurveStroke& stroke : view.panels.front().strokes) {
    const CurveLine& line = view.lines[stroke.line];
    if (line.main.empty() || stroke.behind) continue;
    const double value = line.main.back().mean;
    if (value >= view.y.low && value < view.y.high) add(line.name, value, stroke.colour);
  }
  return labels;
}

void draw_references(const CurveView& view, PlotPage& page) {
  if (!view.is_loss()) return;
  for (const ReferenceLine& r : view.results.references)
    if (shows(view, r)) page.reference(r.loss);
}

Figure one_panel(CurveView& view, const PlotHeading& heading) {
  const std::vector<SideLabel> labels = side_labels(view);
  PlotPage page;
  add_data(view, kFigureWidth, page);
  const PlotBox box = {kLeftMargin, page.width() - side_label_room(labels), kBottomMargin,
                       page.height() - heading_height(heading)};
  view.x = x_axis(view, {box.width(), box.width()});  // no panel beside it
  view.x.title = x_title(view);
  view.y.title = y_title(view);
  page.panel(box, view.x, view.y);
  page.heading(heading);
  draw_references(view, page);
  page.side_labels(labels);
  page.plot(plot_elements(view, view.panels.front()));
  return page.figure();
}

// The lowest end of a panel's lines, as a text.
std::string best_of(const CurveView& view, const CurvePanel& panel) {
  const CurveLine* best = nullptr;
  for (const CurveStroke& stroke : panel.strokes) {
    const CurveLine& line = view.lines[stroke.line];
    if (stroke.behind || line.main.empty() || !line.finished) continue;
    if (best == nullptr || line.main.back().mean < best->main.back().mean) best = &line;
  }
  return best == nullptr ? "none finished" : "best end " + format_fixed(best->main.back().mean, 3);
}

Figure small_panels(CurveView& view, const PlotHeading& heading) {
  const std::vector<SideLabel> labels = side_labels(view);
  const PanelGrid grid = panel_grid(view.panels.size());
  const double top = heading_height(heading) + 16;
  PlotPage page(top + grid.height() + kBottomMargin);
  const double right = page.width() - (labels.empty() ? 20 : side_label_room(labels));
  const std::vector<PlotBox> boxes = grid.boxes(kLeftMargin, right, page.height() - top);
  view.x = x_axis(view, {boxes.front().width(), grid.gap_x});
  add_data(view, boxes.front().width(), page);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    PlotAxis x = view.x, y = view.y;
    x.tic_texts = grid.lowest(i);
    y.tic_texts = grid.leftmost(i);
    page.panel(boxes[i], x, y);
    if (i == 0) {
      page.heading(heading);
      page.text((kLeftMargin + right) / 2, 14, x_title(view), {.align = Align::Center});
      page.text(20, (boxes.back().bottom + boxes.front().top) / 2, y_title(view),
                {.align = Align::Center, .upright = true});
    }
    const CurvePanel& panel = view.panels[i];
    const auto room = static_cast<std::size_t>((boxes[i].width() - 4) / 6.8);
    page.text(boxes[i].left + 4, boxes[i].top + 8, shortened(panel.title, room),
              {.size = kLabelFont, .bold = true});
    const std::string best = best_of(view, panel);
    const bool ramp = panel.strokes.size() > 1 && !panel.strokes.front().behind;
    if (view.is_loss() && ramp && count_characters(panel.title) + best.size() + 2 < room)
      page.text(boxes[i].right, boxes[i].top + 8, best,
                {.size = 10, .colour = kGrey, .align = Align::Right});
    draw_references(view, page);
    if (i + 1 == std::min(grid.columns, grid.count)) page.side_labels(labels);
    page.plot(plot_elements(view, view.panels[i]));
  }
  return page.figure();
}

}  // namespace

std::pair<double, double> loss_range(const std::vector<CurveLine>& lines,
                                     const std::vector<ReferenceLine>& references,
                                     bool whole) {
  constexpr std::size_t kEnough = 4;  // points after the fall
  double last = 0, start = 0;
  each_point(lines, [&](const CurvePoint& p) { last = std::max(last, p.x); });
  for (const CurveLine& line : lines)
    if (!line.main.empty()) start = std::max(start, line.main.front().high);
  const auto enough = [&](const std::vector<CurvePoint>& curve) {
    const auto after_fall = std::count_if(curve.begin(), curve.end(),
                                          [&](const CurvePoint& p) { return p.x >= last / 20; });
    return static_cast<std::size_t>(after_fall) >= kEnough;
  };
  whole |= std::none_of(lines.begin(), lines.end(), [&](const CurveLine& line) {
    return enough(line.main) || enough(line.train);
  });
  // What is not finished decides nothing beside what is: it may be on its way to infinity.
  std::vector<CurveLine> finished;
  for (const CurveLine& line : lines)
    if (line.finished && !line.main.empty()) finished.push_back(line);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  each_point(finished.empty() ? lines : finished, [&](const CurvePoint& p) {
    low = std::min(low, p.low);
    if (whole || p.x >= last / 20) high = std::max(high, p.high);
  });
  if (start > low) high = std::min(high, start);
  const double height = std::max(high - low, 0.02);
  double bottom = low - 0.04 * height, top = high + 0.04 * height;
  for (const ReferenceLine& r : references) {
    if (r.loss < low && r.loss > low - 0.2 * height)
      bottom = std::min(bottom, r.loss - 0.04 * height);
    if (r.loss > high && r.loss < high + 0.1 * height) top = std::max(top, r.loss + 0.04 * height);
  }
  return {bottom, top};
}

std::optional<Figure> curves_figure(const Results& results, const CurveRequest& asked) {
  CurveRequest request = asked;
  CurveView view{
      results, request, curve_lines(results, request), group_keys(results, request), {}, {},
      {},      {}};
  if (view.lines.size() > kMostBoth && request.y == CurveY::Loss) {
    request.y = CurveY::ValLoss;
    view.lines = curve_lines(results, request);
  }
  drop_unplaceable(view);
  bool any = false;
  each_point(view.lines, [&](const CurvePoint&) { any = true; });
  if (!any) return std::nullopt;
  place_lines(view);
  view.y = y_axis(view);
  if (with_references(view))
    view.key.push_back({"reference", fmt::format("{} lc rgb '{}'", kDots, kGrey)});
  const PlotHeading heading{results.title, note_of(view), view.key};
  return view.small() ? small_panels(view, heading) : one_panel(view, heading);
}

}  // namespace bitlab
