#include "experiments/pretrained.h"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/io/small_floats.h"
#include "experiments/checkpoint.h"
#include "experiments/plan.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

std::vector<NamedCheckpoint> all_named() {
  const std::string hub = "https://huggingface.co/";
  std::vector<NamedCheckpoint> all = {
      {"minilm",
       "MiniLM, 6 blocks of width 384, trained on for sentence embeddings (all-MiniLM-L6-v2)",
       "Apache-2.0",
       EncoderFamily::Bert,
       {{"",
         "model.safetensors",
         {hub + "sentence-transformers/all-MiniLM-L6-v2/resolve/"
                "1110a243fdf4706b3f48f1d95db1a4f5529b4d41/model.safetensors"},
         90868376,
         "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
        {"",
         "model.fp16.safetensors",
         {},
         45441937,
         "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d"}}},
      {"distilbert",
       "DistilBERT, 6 blocks of width 768 (distilbert-base-uncased)",
       "Apache-2.0",
       EncoderFamily::DistilBert,
       {{"",
         "model.safetensors",
         {hub + "distilbert/distilbert-base-uncased/resolve/"
                "12040accade4e8a0f71eabdb258fecc2e7e948be/model.safetensors"},
         0,
         "5e3f1108e3cb34ee048634875d8482665b65ac713291a7e32396fb18f6ff0063"}}},
      {"bert-tiny",
       "BERT, 2 blocks of width 128 (prajjwal1/bert-tiny)",
       "MIT",
       EncoderFamily::Bert,
       {{"",
         "pytorch_model.bin",
         {hub + "prajjwal1/bert-tiny/resolve/6f75de8b60a9f8a2fdf7b69cbd86d9e64bcb3837/"
                "pytorch_model.bin"},
         17756393,
         "dab2c2bddcfb48ea430ef63fd76d46d67d704487844d967256a50dd7d7fd0a66"}}}};
  for (NamedCheckpoint& named : all)
    for (RemoteFile& file : named.weights) file.owner = "model-" + named.name;
  return all;
}

const NamedCheckpoint* find_named(const std::string& name) {
  for (const NamedCheckpoint& named : named_checkpoints())
    if (named.name == name) return &named;
  return nullptr;
}

Fetched fetch_weights(const NamedCheckpoint& named, const FetchProgress& progress) {
  for (const RemoteFile& file : named.weights)
    if (auto here = find_local(file)) return *here;
  return fetch(named.weights.front(), progress);
}

bool is_run(const fs::path& path) { return fs::exists(path / "config.toml"); }

// Parameters by our names, of whatever `name` is.
struct Source {
  std::map<std::string, TensorBytes> tensors;
  std::vector<std::shared_ptr<const void>> owners;
  BertConfig* config = nullptr;  // null: the file does not say
  std::unique_ptr<Configurable> settings;
};

Source open_run(const fs::path& run) {
  const auto checkpoints = list_checkpoints(run);
  if (checkpoints.empty()) throw Error(run.string(), "must hold a checkpoint, but holds none");
  Source source;
  source.settings = std::move(load_run_spec(run / "config.toml").model);
  source.config = dynamic_cast<BertConfig*>(source.settings.get());
  if (source.config == nullptr)
    throw UsageError("model.pretrained",
                     "must be the run of an encoder, but " + run.string() + " is another model's");
  const auto file =
      std::make_shared<const SafetensorsFile>(checkpoints.back() / "model.safetensors");
  for (const TensorBytes& tensor : file->tensors()) source.tensors[tensor.name] = tensor;
  source.owners = {file};
  return source;
}

Source of_foreign(ForeignModel model) {
  Source source;
  for (const TensorBytes& tensor : model.tensors) source.tensors[tensor.name] = tensor;
  source.owners = model.sources;
  source.settings = std::move(model.config);
  source.config = dynamic_cast<BertConfig*>(source.settings.get());
  return source;
}

Source open_source(const std::string& name, const BertConfig& wanted) {
  if (const NamedCheckpoint* named = find_named(name)) {
    Source source =
        of_foreign(read_encoder_weights(fetch_weights(*named, {}).path, named->family, wanted));
    source.config = nullptr;  // the weights alone
    return source;
  }
  if (is_run(name)) return open_run(name);
  return of_foreign(read_hf_encoder(name, wanted.head));
}

// Settings that decide what the weights mean; their shapes are looked at one by one.
void compare_settings(const BertConfig& wanted, const BertConfig& found, const std::string& name) {
  std::string problems;
  const auto compare = [&](const char* key, const auto& want, const auto& have) {
    if (want != have)
      problems += fmt::format("\n  model.{} must be {}, but is {}", key, have, want);
  };
  compare("n_layer", wanted.n_layer, found.n_layer);
  compare("n_head", wanted.n_head, found.n_head);
  compare("d_model", wanted.d_model, found.d_model);
  compare("n_types", wanted.n_types, found.n_types);
  compare("activation", wanted.activation, found.activation);
  compare("norm_eps", wanted.norm_eps, found.norm_eps);
  compare("pooler", wanted.pooler, found.pooler);
  if (!problems.empty()) throw UsageError("model", "must be that of " + name + ", but:" + problems);
}

// Of a head, or the norm inside a BitLinear: blocks.0.attn.qkv.norm.weight.
bool may_stay(const std::string& name) {
  return name.starts_with("pooler.") || name.starts_with("classifier.") ||
         name.starts_with("head.") ||
         (name.starts_with("blocks.") && name.find(".norm.") != std::string::npos);
}

// Of a tensor of floats.
void copy_values(const TensorBytes& from, View to) {
  const auto* bytes = static_cast<const char*>(from.data);
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (from.dtype == DType::F32) {
      float x;
      std::memcpy(&x, bytes + 4 * i, sizeof x);
      to.data[i] = static_cast<real>(x);
      continue;
    }
    std::uint16_t half;
    std::memcpy(&half, bytes + 2 * i, sizeof half);
    to.data[i] =
        static_cast<real>(from.dtype == DType::F16 ? half_to_float(half) : bfloat_to_float(half));
  }
}

}  // namespace

const std::vector<NamedCheckpoint>& named_checkpoints() {
  static const std::vector<NamedCheckpoint> all = all_named();
  return all;
}

std::string pretrained_name(const Spec& spec) {
  const auto* bert = dynamic_cast<const BertConfig*>(spec.model.get());
  return bert == nullptr ? "" : bert->pretrained;
}

Pretrained find_pretrained(const std::string& name, const FetchProgress& progress) {
  Pretrained found;
  found.name = name;
  if (const NamedCheckpoint* named = find_named(name)) {
    const Fetched fetched = fetch_weights(*named, progress);
    found.weights = {fetched.path};
    found.notes = fetched.notes;
  } else if (is_run(name)) {
    if (const RunFolder run(name); !run.done())  // its weights are not its last ones
      throw UsageError("model.pretrained", "must be a run that is done, but " + name + " is not",
                       "let it finish first");
    const auto checkpoints = list_checkpoints(name);
    if (!checkpoints.empty()) found.weights = {checkpoints.back() / "model.safetensors"};
  } else if (fs::exists(fs::path(name) / "config.json")) {
    found.weights = read_hf_encoder(name).files;
    std::erase(found.weights, fs::path(name) / "config.json");
  } else {
    std::string names;
    for (const NamedCheckpoint& named : named_checkpoints()) names += named.name + ", ";
    throw UsageError("model.pretrained",
                     "must be " + names +
                         "a folder with config.json and weights, or a run's folder, but is '" +
                         name + "'");
  }
  if (found.weights.empty()) throw Error(name, "must hold a checkpoint, but holds none");
  for (const fs::path& file : found.weights) found.sha256 += sha256_file(file);
  if (found.weights.size() > 1) found.sha256 = sha256_hex(found.sha256);  // shards: of their hashes
  return found;
}

std::vector<std::string> load_pretrained(const std::string& name,
                                         const BertConfig& config,
                                         LanguageModel& model) {
  const Source source = open_source(name, config);
  if (source.config != nullptr) compare_settings(config, *source.config, name);
  std::vector<std::string> stayed;
  std::string problems;
  const auto found = [&](const Param& p) -> const TensorBytes* {
    const auto tensor = source.tensors.find(p.name);
    return tensor == source.tensors.end() ? nullptr : &tensor->second;
  };
  for (const Param* p : model.params().params()) {
    const TensorBytes* tensor = found(*p);
    const bool fits = tensor != nullptr && tensor->size() == p->size();
    if (fits && !is_float(tensor->dtype)) {
      problems +=
          "\n  " + p->name + " must be F32, F16 or BF16, but is " + dtype_name(tensor->dtype);
    } else if (fits) {
      copy_values(*tensor, p->value);
    } else if (may_stay(p->name) && (tensor == nullptr || p->name.starts_with("classifier."))) {
      stayed.push_back(p->name);
    } else {
      problems += "\n  " + p->name + " of " + std::to_string(p->size()) + " values " +
                  (tensor == nullptr ? "is missing" : "has " + std::to_string(tensor->size()));
    }
  }
  if (!problems.empty())
    throw Error(name, "must have the parameters of the model, but:" + problems);
  model.prepare(0);
  return stayed;
}

std::vector<std::string> load_pretrained(const Spec& spec, LanguageModel& model) {
  const std::string name = pretrained_name(spec);
  if (name.empty()) return {};
  return load_pretrained(name, dynamic_cast<const BertConfig&>(*spec.model), model);
}

}  // namespace bitlab
