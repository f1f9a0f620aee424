#pragma once
// What a command will run: arms x sweep points x seeds, each with the id that its results are kept
// under.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config/resolve.h"
#include "experiments/spec.h"
#include "experiments/text_lengths.h"

namespace bitlab {

// A setting that a sweep varies, with the value that one arm has.
struct AxisValue {
  std::string path;  // "optim.lr"
  std::string toml;  // the value as TOML: 0.001, "absmean", true
};

// A value as names of arms have it: 0.0003 for 3e-04, absmean without its quotes.
std::string axis_text(const std::string& toml);

// One thing to compare: an arm of the file or, in a sweep, an arm at one point of the axes.
struct Arm {
  std::string name;  // unique in the experiment: "babyBitNet", in a sweep "babyBitNet lr=0.001"
  std::string base;  // the arm of the file; the folder's name begins with it
  std::vector<AxisValue> axes;  // in the order of the sweep; empty without one
  Spec spec;
  std::vector<FieldState> fields;      // resolved, with origins
  std::vector<std::int64_t> left_out;  // of the seeds, those that the sweep excludes here
};

// An experiment file with its overrides, every arm resolved.
struct Experiment {
  std::string name;  // of the file, without .toml
  std::filesystem::path file;
  std::filesystem::path home;  // where experiments that it names are
  // Arms in the order of the file (without [arms] one, called "main"), each at the points of the
  // sweep in their order.
  std::vector<Arm> arms;
  std::vector<std::vector<std::string>> zipped;  // axes that move together, by path
  std::size_t duplicates = 0;  // points left out since an earlier one has the same settings
  std::size_t max_runs = 0;    // of the sweep: only the first runs of the plan; 0 for all

  const Spec& spec() const {
    return arms.front().spec;
  }                               // what arms share: title, question, seeds, baseline, data
  std::size_t run_count() const;  // without regard to max_runs
  std::vector<std::size_t> planned_runs() const;  // of each arm, as many as max_runs leaves
  const std::string& baseline() const;            // an arm of the file
  std::vector<std::string> arm_names() const;     // of the file, in its order
};

// `name` is an experiment of home/configs/experiments, or a path to a .toml. `plugins` are loaded
// beside those that the experiment names. Throws UsageError that shows everything that is wrong
// with any arm.
Experiment load_experiment(const std::string& name,
                           const std::vector<std::string>& overrides,
                           const std::filesystem::path& home,
                           const std::vector<std::string>& plugins = {});

// Keeps the arms that are named: arms of the file with all their points, or single points. Without
// names all stay. Throws UsageError for a name that is neither.
void keep_arms(Experiment& experiment, const std::vector<std::string>& names);

// Names of home/configs/experiments/*.toml.
std::vector<std::string> experiment_names(const std::filesystem::path& home);

// Of the data that was found: enters the id of every run.
struct DataFacts {
  std::string source;  // name of the source that was used
  std::string sha256;  // of the text as it is used
  std::int64_t bytes = 0, train_tokens = 0, val_tokens = 0, vocab_size = 0;
  std::string unit = "character";               // what a token is
  std::string tokenizer = {};                   // its id
  std::int64_t train_bytes = 0, val_bytes = 0;  // of the text behind the tokens
  TextLengths lengths = {};  // of labelled texts: then the counts of tokens above are of texts
};

// Tokens of a sequence, on average: of a text that is classified, or the model's seq_len.
double sequence_tokens(const Spec& spec, const DataFacts& data);

struct ReferenceLoss {
  std::string name;  // "bigram"
  double loss = 0;   // nats a token, on the validation split
};

struct PlannedArm {
  std::string name, base;       // as in Arm
  std::vector<AxisValue> axes;  // as in Arm
  std::string hash, dir;        // hash: 8 hex digits; dir: BASE-HASH, below the results folder
  std::int64_t params = 0, ternary_params = 0, steps = 0, tokens_per_step = 0;
  std::int64_t non_embedding_params = 0;    // ParamParts::non_embedding
  double flops_per_token = 0;               // of training
  std::int64_t settled_step = 0;            // from which on quantisation has faded in
  std::vector<std::int64_t> left_out = {};  // as in Arm
  // Arms of the plan, by index, that it begins with or learns from: their runs come first.
  std::vector<std::size_t> needs = {};
};

// An arm of another experiment that arms begin with or learn from (experiments/arm_references.h).
struct OtherArm {
  std::string hash;
  std::filesystem::path dir;        // of its runs
  std::vector<std::int64_t> seeds;  // that it runs with
};

struct PlannedRun {
  std::size_t arm = 0;  // index
  std::uint64_t seed = 1;
  std::filesystem::path dir;  // absolute or relative as the results folder is
};

struct Plan {
  std::string experiment, title, question, command, baseline;
  std::vector<std::string> claims;  // Spec::claims
  DataFacts data;
  std::vector<ReferenceLoss> references;
  std::vector<PlannedArm> arms;
  std::map<std::string, OtherArm> others;  // by "NAME/ARM"
  std::vector<std::int64_t> seeds;
  std::vector<std::vector<std::string>> zipped;  // as in Experiment
  std::size_t max_runs = 0;                      // 0: all
  std::filesystem::path results;                 // results/NAME
  std::vector<PlannedRun> runs() const;          // seed by seed, so that pairs finish together

  // Folders of the runs of this plan that must be done before this one can begin.
  std::vector<std::filesystem::path> needed_by(const PlannedRun& run) const;
};

// The id of an arm: sha256 over the settings that decide its result, the data, the versions of the
// plugins it uses, and the weights it begins with; the first 8 hex digits. `others`: ids of the
// arms that it names, by ArmReference::key().
std::string arm_hash(const Arm& arm,
                     const DataFacts& data,
                     const std::map<std::string, std::string>& others = {});

// plan.json of docs/run-folder.md; arms that max_runs leaves without a run are not in it.
void write_plan(const Plan& plan);

// config.toml of a run: the settings of its arm with their origins; or `fields` in their place.
std::string run_config(const Arm& arm);
std::string run_config(const Arm& arm, const std::vector<FieldState>& fields);

// Reads a run's config.toml back.
Spec load_run_spec(const std::filesystem::path& config_toml);

}  // namespace bitlab
