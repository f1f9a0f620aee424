#include "cli/verbs.h"

#include "cli/commands.h"
#include "cli/options.h"

namespace bitlab {

namespace po = boost::program_options;

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"Experiments", "run", "NAME|FILE.toml [path=value ...]",
       "train what is not done, then show the result", run_command},
      {"Experiments", "list", "", "the experiments there are", list_command},
      {"Experiments", "config", "NAME [path=value ...]",
       "every setting of every arm, with its origin", config_command},
      {"Experiments", "plan", "PRESET|NAME [path=value ...]",
       "what a model takes: parameters, memory, FLOPs, energy, time", plan_command},
      {"Experiments", "check", "[FILE.toml ...]", "read every file in configs/, or these",
       check_command},
      {"Experiments", "plugins", "", "all that settings can name: models, layers, optimisers ...",
       plugins_command},
      {"Results", "ls", "[NAME] [FILTER]", "the experiments that were run; the runs of one",
       ls_command},
      {"Results", "status", "[NAME] [--watch]", "what runs now, and how long it will take",
       status_command},
      {"Results", "show", "RUN", "one run: settings, losses, provenance, files", show_command},
      {"Results", "diff", "RUN RUN", "what differs between two runs", diff_command},
      {"Results", "compare", "NAME [FILTER] [--sort KEY]", "one row a run: settings and losses",
       compare_command},
      {"Results", "table", "NAME [--rows KEY --cols KEY]",
       "the result table; a metric by any two settings", table_command},
      {"Results", "plot", "NAME [FILTER] [--kind K] [-o FILE]", "one figure, as svg, png or pdf",
       plot_command},
      {"Results", "report", "NAME", "tables, curves, verdict and page, written again",
       report_command},
      {"Results", "serve", "[--port N]", "all results as web pages on this machine, live",
       serve_command},
      {"Results", "claims", "[FOLDER]", "what the published experiments say of their claims",
       claims_command},
      {"Results", "export", "NAME [FILTER] [-o DIR]|RUN --format hf|run -o DIR",
       "all metrics as CSV; a run's model for transformers, or to be used elsewhere",
       export_command},
      {"Results", "clean", "[NAME] [FILTER]", "delete what came to nothing, after asking",
       clean_command},
      {"Results", "rerun", "RUN", "repeat a run, and see whether it gives the same bits",
       rerun_command},
      {"Models", "generate", "RUN --prompt TEXT", "text from a trained model", generate_command},
      {"Models", "eval", "RUN --data NAME", "perplexity and bits per byte on a text", eval_command},
      {"Models", "classify", "RUN --text TEXT|--file FILE", "the labels of texts",
       classify_command},
      {"Models", "import", "DIR|FILE --out RUN", "a model of Hugging Face or llama2.c as a run",
       import_command},
      {"Models", "verify", "RUN", "prove that weights are ternary and packing loses nothing",
       verify_command},
      {"Models", "bench",
       "train NAME [path=value ...]|decode PRESET [path=value ...]|attention|load RUN",
       "speed of training steps, of decoding and of attention; memory of a loaded run",
       bench_command},
      {"Data", "data", "list|get NAME|path NAME|verify [NAME]", "data sources and their cache",
       data_command},
      {"Data", "tokenize", "--tokenizer T", "the token ids of standard input", tokenize_command},
      {"Data", "detokenize", "--tokenizer T", "the text of token ids on standard input",
       detokenize_command},
      {"Shell", "completion", "bash|zsh|fish", "a completion script for that shell",
       completion_command},
      {"", "__complete", "", "what may stand next; asked by the completion scripts",
       complete_command},
      {"", "__man", "", "the man page; asked by the build", man_command},
      {"", "worker", "", "one run; started by run", worker_command},
  };
  return all;
}

const Verb* find_verb(const std::string& name) {
  for (const Verb& verb : verbs())
    if (name == verb.name) return &verb;
  return nullptr;
}

namespace {

VerbOption described(const po::option_description& option) {
  VerbOption result;
  const std::string shown = option.format_name();  // "-j [ --jobs ]" or "--help"
  if (shown.size() > 1 && shown[1] != '-') result.letter = shown.substr(1, 1);
  result.name = option.long_name();
  result.help = option.description();
  if (option.semantic()->max_tokens() > 0) {
    result.value = option.semantic()->name();  // "N", "arg", "N (=1)", "[=N]"
    result.value = result.value.substr(0, result.value.find(" (="));
  }
  return result;
}

}  // namespace

std::vector<VerbOption> options_of(const Verb& verb) {
  std::vector<VerbOption> options;
  look_at_options([&] { verb.command({}); },
                  [&](const po::options_description& all) {
                    for (const auto& option : all.options())
                      if (!option->description().empty()) options.push_back(described(*option));
                  });
  return options;
}

}  // namespace bitlab
