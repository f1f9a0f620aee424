#include "experiments/import_model.h"

#include <map>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/quant/weight_quantizer.h"
#include "core/text/named_tokenizers.h"
#include "core/text/tokenizer_files.h"
#include "experiments/checkpoint.h"
#include "experiments/export_model.h"
#include "experiments/foreign_model.h"
#include "experiments/packed_model.h"
#include "experiments/plan.h"
#include "experiments/provenance.h"
#include "layers/bitlinear_config.h"
#include "layers/models/bitnet.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct FoundTokenizer {
  std::unique_ptr<Tokenizer> tokenizer;
  std::string name;
  fs::path path;  // empty: it has a name that tells all
};

FoundTokenizer open_file(const fs::path& path) {
  // Of our own exports; every other kind of file is that of a subword tokenizer.
  if (path.filename() == kOwnTokenizerFile)
    return {tokenizer_from_json(read_file(path)), path.string(), path};
  return {tokenizer_from_file(path), path.string(), path};
}

std::string sizes(const ForeignModel& model, const FoundTokenizer& found) {
  return "the model has " + std::to_string(model.vocab_size) + " tokens, " + found.name + " " +
         std::to_string(found.tokenizer->vocab_size());
}

bool has_fewer(const FoundTokenizer& found, const ForeignModel& model) {
  return found.tokenizer->vocab_size() < model.vocab_size;
}

FoundTokenizer open_named_or_file(const std::string& name, ForeignModel& model) {
  FoundTokenizer found;
  if (fs::is_regular_file(name)) {  // not a folder that is called like a tokenizer
    found = open_file(name);
  } else {
    OpenedTokenizer opened = open_tokenizer(name);
    model.notes.insert(model.notes.end(), opened.notes.begin(), opened.notes.end());
    found = {std::move(opened.tokenizer), name, {}};
  }
  if (has_fewer(found, model))
    model.notes.push_back(sizes(model, found) + "; those beyond are never generated");
  return found;
}

// Of the files beside the model that can be read: the first with as many tokens as the model, else
// the first that has no more.
FoundTokenizer find_beside(ForeignModel& model) {
  const auto wanted = model.vocab_size;
  FoundTokenizer fits;
  std::string reasons;
  for (const fs::path& path : model.tokenizer_files) {
    if (!fs::exists(path)) continue;
    try {
      FoundTokenizer found = open_file(path);
      const std::size_t size = found.tokenizer->vocab_size();
      if (size == wanted) {
        if (!reasons.empty()) model.notes.push_back("not used:" + reasons);
        return found;
      }
      reasons += "\n  " + path.filename().string() + " has " + std::to_string(size) +
                 " tokens, the model " + std::to_string(wanted);
      if (has_fewer(found, model) && !fits.tokenizer) fits = std::move(found);
    } catch (const Error& e) {
      reasons += "\n  " + path.filename().string() + ": " + e.what();
    }
  }
  if (!fits.tokenizer)
    throw UsageError("import",
                     "a tokenizer must lie beside the model, but none can be used" +
                         (reasons.empty() ? "" : ":" + reasons),
                     "name one: --tokenizer llama3|bert-uncased|FILE");
  model.notes.push_back("no tokenizer beside the model has as many tokens as it:" + reasons);
  return fits;
}

void check_tokens(const ForeignModel& model, const FoundTokenizer& found) {
  const std::size_t tokenizer_size = found.tokenizer->vocab_size();
  if (tokenizer_size > model.vocab_size)
    throw UsageError(
        "import",
        "the tokenizer must have no more tokens than the model, but " + sizes(model, found),
        "name the tokenizer that the model was trained with: --tokenizer NAME|FILE");
  for (const auto* tokens : {&model.begin, &model.end})
    for (const std::int32_t token : *tokens)
      if (token < 0 || static_cast<std::size_t>(token) >= tokenizer_size)
        throw Error("import", "tokens that begin or end texts must be below the tokenizer's " +
                                  std::to_string(tokenizer_size) + ", but one is " +
                                  std::to_string(token));
}

// The settings of the model, and no others: config.toml.
std::string settings_text(ForeignModel& model, const std::string& title, const fs::path& source) {
  Spec spec;
  std::map<std::string, std::string> defaults;
  spec.model_name = model.model;
  spec.model = models().at(spec.model_name).make_config();
  for (const FieldState& field : list_fields(spec)) defaults[field.path] = field.toml;
  spec.title = title;
  spec.model = std::move(model.config);
  Arm arm;
  arm.name = "imported";
  for (FieldState& field : list_fields(spec)) {
    if (field.path != "title" && !field.path.starts_with("model.")) continue;
    const bool usual = defaults.count(field.path) > 0 && defaults[field.path] == field.toml;
    field.origin = usual && field.path != "model.name" ? "default" : source.filename().string();
    arm.fields.push_back(field);
  }
  model.config = std::move(spec.model);
  return run_config(arm);
}

std::string checkpoint_config(const ForeignModel& model,
                              const Tokenizer& tokenizer,
                              const std::string& settings) {
  nlohmann::ordered_json json = {{"format", "bitlab checkpoint 1"},
                                 {"experiment", ""},
                                 {"arm", "imported"},
                                 {"seed", 1},
                                 {"vocab_size", model.vocab_size},
                                 {"imported", model.format},
                                 {"begin_tokens", model.begin},
                                 {"end_tokens", model.end},
                                 {"tokenizer", nlohmann::ordered_json::parse(tokenizer.to_json())},
                                 {"config_toml", settings}};
  if (!model.labels.empty()) json["labels"] = model.labels;
  return json.dump(2) + "\n";
}

std::uintmax_t write_weights(const fs::path& path,
                             const ForeignModel& model,
                             const std::vector<ExpectedParam>& params) {
  std::map<std::string, std::string> metadata = {{"format", "bitlab"}};
  if (model.packed) {
    metadata = packed_metadata();
    for (const ExpectedParam& p : params)
      if (p.ternary) metadata["rows." + p.name] = std::to_string(p.rows);
  }
  write_safetensors(path, model.tensors, metadata, model.give_back);
  return fs::file_size(path);
}

// Of a model that has ternary layers: only those of the b1.58 family come so.
const BitLinearConfig& bitlinear_of(const Configurable& config) {
  return dynamic_cast<const BitLinearConfig&>(
      *dynamic_cast<const BitnetConfig&>(config).linear_settings);
}

// The packed form of float masters, matrix by matrix: without a whole model in memory.
void write_packed_masters(const fs::path& path,
                          const SafetensorsFile& masters,
                          const BitLinearConfig& settings,
                          const std::vector<ExpectedParam>& params) {
  const WeightQuantizer quantizer =
      configured_quantizer(settings.weight_quant, settings.weight_quant_settings.get());
  PackedWriter writer;
  for (const ExpectedParam& p : params) {
    std::vector<real> values(p.rows * p.cols);
    masters.read(p.name, values.data(), values.size());
    if (!p.ternary) {
      writer.add_full(p.name, {p.rows, p.cols}, {values.begin(), values.end()});
      continue;
    }
    std::vector<std::int8_t> codes(values.size());
    const real scale =
        quantizer.quantize({values.data(), p.rows, p.cols}, settings.weight_eps, codes.data());
    writer.add_ternary(p.name, codes.data(), p.rows, p.cols, static_cast<float>(scale));
  }
  writer.write(path);
}

ImportedFrom origin_of(const ForeignModel& model, const fs::path& source) {
  ImportedFrom from{fs::absolute(source).lexically_normal().string(), model.format, {}};
  for (const fs::path& file : model.files)
    from.files.push_back({fs::absolute(file).lexically_normal().string(),
                          static_cast<std::int64_t>(fs::file_size(file)), sha256_file(file)});
  return from;
}

// Everything of the run folder but DONE.
void write_run(const fs::path& dir,
               const ImportRequest& request,
               ForeignModel& model,
               const FoundTokenizer& tokenizer,
               ImportResult& result) {
  const std::vector<ExpectedParam> params =
      expected_params(model.model, *model.config, model.vocab_size);
  for (const ExpectedParam& p : params) {
    result.params += p.rows * p.cols;
    result.ternary_params += p.ternary ? p.rows * p.cols : 0;
  }
  fs::path name = request.source.lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  const std::string settings =
      settings_text(model, "imported from " + name.filename().string(), model.files.front());
  write_file_atomic(dir / "config.toml", settings);

  const fs::path checkpoint = dir / "ckpt" / "step_00000000", packed = dir / "packed.safetensors";
  const fs::path weights = checkpoint / "model.safetensors";
  result.bytes = write_weights(weights, model, params);
  write_file_atomic(checkpoint / "config.json",
                    checkpoint_config(model, *tokenizer.tokenizer, settings));
  write_trainer_state(checkpoint, {});
  if (model.packed) link_or_copy(weights, packed);
  if (!model.packed && result.ternary_params > 0)
    write_packed_masters(packed, SafetensorsFile(weights), bitlinear_of(*model.config), params);
  write_file_atomic(checkpoint / "DONE", "");

  if (!tokenizer.path.empty()) model.files.push_back(tokenizer.path);
  const RunFolder folder(dir);
  RunStatus status;
  status.state = RunState::Done;
  status.host = host_name();
  status.started = status.ended = utc_now();
  status.imported = model.format;
  status.bytes_full = static_cast<std::int64_t>(result.bytes);
  if (fs::exists(packed)) status.bytes_packed = static_cast<std::int64_t>(fs::file_size(packed));
  write_import_provenance(folder, origin_of(model, request.source));
  folder.set_status(status);
}

}  // namespace

ImportResult import_model(const ImportRequest& request) {
  require_new_folder(request.run_dir);
  ForeignModel model = read_foreign_model(request.source);
  const FoundTokenizer tokenizer =
      request.tokenizer.empty() ? find_beside(model) : open_named_or_file(request.tokenizer, model);
  check_tokens(model, tokenizer);

  ImportResult result;
  make_folder_atomic(request.run_dir, [&](const fs::path& dir) {
    write_run(dir, request, model, tokenizer, result);
    RunFolder(dir).mark_done();
  });
  result.format = model.format;
  result.tokenizer = tokenizer.name;
  result.notes = model.notes;
  return result;
}

}  // namespace bitlab
