// bitlab export NAME [FILTER]: all metrics as CSV. bitlab export RUN --format hf: its model for
// other programs, or --format run: to be used from elsewhere.
#include "report/export.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/export_model.h"
#include "experiments/export_run.h"
#include "report/filter.h"
#include "report/run_values.h"

namespace bitlab {

namespace po = boost::program_options;
namespace fs = std::filesystem;

namespace {

struct Request {
  std::string out, format = "csv", weights = "f32";
  std::vector<std::string> words;
};

void export_metrics(const Request& request) {
  if (request.words.empty() || request.words.size() > 2)
    throw UsageError("bitlab export",
                     "an experiment and at most a filter must be named, but got " +
                         std::to_string(request.words.size()) + " words",
                     "bitlab export NAME \"state=done\"");
  const fs::path results = find_results(request.words[0]);
  const fs::path folder =
      request.out.empty() ? results / "csv" : fs::absolute(request.out).lexically_normal();
  const std::vector<RunRecord> runs =
      filtered(planned_runs(read_index(results)), request.words.size() > 1 ? request.words[1] : "");
  const ExportedRows rows = export_csv(runs, folder);
  std::cerr << fmt::format("{} runs, {} rows of train.csv, {} of eval.csv, {} of quant.csv",
                           rows.runs, rows.train, rows.eval, rows.quant);
  if (rows.scores + rows.predictions > 0)
    std::cerr << fmt::format(", {} of scores.csv, {} of predictions.csv", rows.scores,
                             rows.predictions);
  std::cerr << "\n";
  std::cout << folder.string() << "\n";
}

ExportWeights parse_weights(const std::string& text) {
  if (text == "f32") return ExportWeights::F32;
  if (text == "f16") return ExportWeights::F16;
  if (text == "bf16") return ExportWeights::BF16;
  if (text == "packed") return ExportWeights::Packed;
  if (text == "packed-f16") return ExportWeights::PackedF16;
  throw UsageError(
      "bitlab export",
      "--weights must be f32, f16, bf16, packed or packed-f16, but got '" + text + "'");
}

void require_run(const Request& request) {
  if (request.words.size() != 1 || request.out.empty())
    throw UsageError("bitlab export", "must be given one run and -o DIR",
                     "bitlab export RUN --format " + request.format + " -o DIR");
}

void export_for_use(const Request& request) {
  require_run(request);
  const std::uintmax_t bytes =
      export_run(find_run(request.words[0]), request.out, parse_weights(request.weights));
  std::cerr << fmt::format("a run with {} bytes of weights\n", bytes);
  std::cout << request.out << "\n";
}

void export_model(const Request& request) {
  require_run(request);
  const ExportResult result =
      export_hf(find_run(request.words[0]), request.out, parse_weights(request.weights));
  std::cerr << fmt::format("{}, {} bytes of weights\n", result.architecture, result.bytes);
  for (const std::string& note : result.notes) std::cerr << "note: " << note << "\n";
  std::cout << request.out << "\n";
}

}  // namespace

int export_command(const std::vector<std::string>& args) {
  Request request;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  options.add_options()("out,o", po::value(&request.out)->value_name("DIR"),
                        "where to; CSV goes to csv/ in the results folder if not told");
  options.add_options()("format", po::value(&request.format)->value_name("csv|hf|run"),
                        "csv: metrics; hf: a run's model as Hugging Face's transformers save it; "
                        "run: a run folder to use the model from");
  options.add_options()("weights", po::value(&request.weights)->value_name("FORM"),
                        "f32; f16, bf16: rounded; packed: ternary matrices as 2-bit codes, the "
                        "rest f32; packed-f16 (of run): the rest rounded");
  po::options_description all = options;
  all.add_options()("words", po::value(&request.words));
  if (parse_options("export", args, all, "words").count("help") > 0) {
    std::cout << "usage: bitlab export NAME [FILTER] [-o DIR]\n"
                 "       bitlab export RUN --format hf [--weights f32|f16|bf16|packed] -o DIR\n"
                 "       bitlab export RUN --format run [--weights "
                 "f32|f16|bf16|packed|packed-f16] -o DIR\n\n"
                 "The first writes runs.csv (one row a run), train.csv, eval.csv, quant.csv and, "
                 "of texts\n"
                 "that are classified, scores.csv and predictions.csv (the rows of metrics.h5, "
                 "with run,\n"
                 "arm, seed and swept settings before them), of the last plan. The second writes\n"
                 "config.json, model.safetensors and the tokenizer of one run; 'bitlab import' "
                 "reads them\n"
                 "back (docs/checkpoints.md). The third writes a run that has its model, "
                 "settings and metrics but\n"
                 "no state to train on from: what classify, generate, eval and verify need, and no "
                 "more.\n\n"
              << kFilterHelp << run_keys_help() << "\n"
              << options;
    return 0;
  }
  if (request.format == "csv")
    export_metrics(request);
  else if (request.format == "hf")
    export_model(request);
  else if (request.format == "run")
    export_for_use(request);
  else
    throw UsageError("bitlab export",
                     "--format must be csv, hf or run, but got '" + request.format + "'");
  return 0;
}

}  // namespace bitlab
