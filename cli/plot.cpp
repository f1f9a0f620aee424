// bitlab plot NAME: one picture of an experiment, finished or not.
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "report/figures.h"
#include "report/filter.h"
#include "report/results.h"
#include "report/run_values.h"

namespace bitlab {

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace {

constexpr const char* kUsage = "bitlab plot NAME [FILTER] [--kind K] [-o FILE]";

constexpr const char* kHelp = R"(Kinds, and what --x and --y mean:
  curves    over training: --x step|tokens|seconds|flops
            --y loss|val_loss|train_loss|batch_loss|lr|grad_norm|accuracy|f1
            --group: what the runs of one line share, of arm, seed and swept settings
  final     final loss against a swept setting (--x optim.lr) or --x arm
  heatmap   final loss over two swept settings (--x, --y)
  parallel  all points of a sweep across its settings, to the final loss
  paired    differences to the baseline seed by seed, with t intervals
  accuracy  of texts that are classified, against the baseline's, with intervals
  ternary   shares of -1, 0, +1 and flips, of the best ternary arm

)";

// The results with the runs alone that the filter takes.
Results chosen(Results results, const std::string& filter) {
  std::set<std::pair<std::string, std::int64_t>> kept;
  for (const RunRecord& record : filtered(index_runs(results), filter))
    if (record.planned) kept.insert({record.arm, record.run.seed});
  if (kept.empty())
    throw UsageError("bitlab plot",
                     "the filter must take at least one run, but takes none: " + filter);
  for (ArmResult& arm : results.arms)
    std::erase_if(arm.runs, [&](const SeedResult& run) {
      return kept.count({arm.name, run.seed}) == 0;
    });
  std::erase_if(results.arms, [](const ArmResult& arm) { return arm.runs.empty(); });
  return results;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::stringstream stream(list);
  for (std::string part; std::getline(stream, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

// The format that was asked for, or else the one that the file's name ends in.
ImageFormat format_of(const std::string& asked, const std::string& file) {
  if (!asked.empty()) return parse_image_format(asked);
  const std::string extension = fs::path(file).extension().string();
  return extension.empty() ? ImageFormat::Svg : parse_image_format(extension.substr(1));
}

constexpr const char* extension_of(ImageFormat format) {
  return format == ImageFormat::Svg ? ".svg" : format == ImageFormat::Png ? ".png" : ".pdf";
}

}  // namespace

int plot_command(const std::vector<std::string>& args) {
  PlotRequest request;
  std::string group, log, format, file;
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("kind,k",
                                               po::value(&request.kind)->value_name("KIND"),
                                               "what to draw, see below; else curves")(
      "x", po::value(&request.x)->value_name("AXIS"), "of the horizontal axis")(
      "y", po::value(&request.y)->value_name("METRIC"), "of the vertical axis")(
      "group,g", po::value(&group)->value_name("KEYS"), "what the runs of one line share: arm,lr")(
      "band", po::value(&request.band)->value_name("minmax|sd"), "over the runs of one line")(
      "log", po::value(&log)->value_name("x|y|x,y"), "axes with a logarithmic scale")(
      "format,f", po::value(&format)->value_name("svg|png|pdf"),
      "else by the name of FILE, or svg")(
      "output,o", po::value(&file)->value_name("FILE"),
      "else NAME-KIND.svg in this folder; - is the standard output");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("plot", args, all, "words");
  if (parsed.count("help") > 0) {
    std::cout << "usage: " << kUsage << "\n\n"
              << options << "\n"
              << kHelp << kFilterHelp << run_keys_help();
    return 0;
  }
  if (words.empty() || words.size() > 2)
    throw UsageError("bitlab plot",
                     "an experiment and at most a filter must be named, but got " +
                         std::to_string(words.size()) + " words",
                     kUsage);
  request.group = split(group);
  request.log = split(log);
  const ImageFormat image_format = format_of(format, file == "-" ? "" : file);
  Results results = load_results(find_results(words.front()));
  if (words.size() > 1) results = chosen(std::move(results), words[1]);
  const std::optional<Figure> figure = plot(results, request);
  if (!figure)
    throw Error("bitlab plot", "the runs must have measured something, but none has yet");
  const std::string image = draw(*figure, image_format);
  if (file == "-") {
    std::cout << image << std::flush;
    return 0;
  }
  if (file.empty())
    file = results.experiment + "-" +
           (request.kind.empty() ? figure_kinds().front() : request.kind) +
           extension_of(image_format);
  write_file_atomic(file, image);
  std::cout << file << "\n";
  return 0;
}

}  // namespace bitlab
