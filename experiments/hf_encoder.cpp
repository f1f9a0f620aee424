#include "experiments/hf_encoder.h"

#include <map>
#include <set>

#include "core/base/error.h"
#include "core/io/safetensors_set.h"
#include "core/io/torch_file.h"
#include "experiments/export_model.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

using Names = std::map<std::string, std::string>;

const Names& outside_of_blocks(EncoderFamily family) {
  static const Names bert = {{"embedding.token", "embeddings.word_embeddings"},
                             {"embedding.position", "embeddings.position_embeddings"},
                             {"embedding.type", "embeddings.token_type_embeddings"},
                             {"embedding.norm", "embeddings.LayerNorm"},
                             {"pooler", "pooler.dense"},
                             {"classifier", "classifier"},
                             {"head.dense", "cls.predictions.transform.dense"},
                             {"head.norm", "cls.predictions.transform.LayerNorm"},
                             {"head", "cls.predictions"}};
  static const Names distilbert = [] {
    Names names = bert;
    names.erase("embedding.type");
    names["pooler"] = "pre_classifier";
    names["head.dense"] = "vocab_transform";
    names["head.norm"] = "vocab_layer_norm";
    names["head"] = "vocab_projector";
    return names;
  }();
  return family == EncoderFamily::Bert ? bert : distilbert;
}

const Names& inside_of_blocks(EncoderFamily family) {
  static const Names bert = {{"attn.wq", "attention.self.query"},
                             {"attn.wk", "attention.self.key"},
                             {"attn.wv", "attention.self.value"},
                             {"attn.wo", "attention.output.dense"},
                             {"norm1", "attention.output.LayerNorm"},
                             {"ffn.w1", "intermediate.dense"},
                             {"ffn.w2", "output.dense"},
                             {"norm2", "output.LayerNorm"}};
  static const Names distilbert = {{"attn.wq", "attention.q_lin"}, {"attn.wk", "attention.k_lin"},
                                   {"attn.wv", "attention.v_lin"}, {"attn.wo", "attention.out_lin"},
                                   {"norm1", "sa_layer_norm"},     {"ffn.w1", "ffn.lin1"},
                                   {"ffn.w2", "ffn.lin2"},         {"norm2", "output_layer_norm"}};
  return family == EncoderFamily::Bert ? bert : distilbert;
}

// Heads of pre-training and of other tasks, and buffers that older versions saved: what is left of
// them is no reason for doubt.
bool is_known_surplus(const std::string& name) {
  for (const char* begin : {"cls.", "vocab_", "mlm", "qa_outputs."})
    if (name.starts_with(begin)) return true;
  return name.ends_with("embeddings.position_ids");
}

// The weights of a folder, whatever they are kept in.
struct Weights {
  std::string where;
  std::map<std::string, TensorBytes> tensors;
  std::vector<fs::path> files;
  std::shared_ptr<const void> source;
};

Weights open_safetensors(const fs::path& path) {
  const auto set = std::make_shared<const SafetensorsSet>(path);
  Weights weights{set->where(), {}, set->paths(), set};
  for (const std::string& name : set->names()) weights.tensors[name] = set->at(name);
  return weights;
}

Weights open_pickled(const fs::path& path) {
  const auto file = std::make_shared<const TorchFile>(path);
  Weights weights{path.string(), {}, {path}, file};
  for (const TensorBytes& tensor : file->tensors()) weights.tensors[tensor.name] = tensor;
  return weights;
}

// Safetensors where there are some: they need no trust.
Weights open_weights(const fs::path& folder) {
  const fs::path pickled = folder / "pytorch_model.bin";
  bool safe = fs::exists(folder / "model.safetensors.index.json");
  for (const auto& entry : fs::directory_iterator(folder))
    safe |= entry.path().extension() == ".safetensors";
  return safe || !fs::exists(pickled) ? open_safetensors(folder) : open_pickled(pickled);
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (const std::size_t n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

// Finds our parameters among theirs.
class EncoderReader {
 public:
  EncoderReader(const Weights& weights, EncoderFamily family) : weights_(weights), family_(family) {
    for (const char* prefix : {"bert.", "distilbert."})
      if (weights.tensors.count(std::string(prefix) + "embeddings.word_embeddings.weight") > 0)
        prefix_ = prefix;
  }

  // As the weights have it; `wanted` where they have several. A classifier counts only if it tells
  // one label of a text: returns why one is left, which `other_classifier` may say beforehand.
  std::string choose_head(BertConfig& config,
                          const std::string& wanted,
                          std::string other_classifier) const {
    const bool masked = has("head.dense.weight") && has("head.norm.weight") && has("head.bias");
    if (masked && (wanted == "masked-lm" || !has("pooler.weight"))) {
      config.head = "masked-lm";
    } else if (!has("pooler.weight")) {
      config.head = "none";
    } else {
      config.head = "pooler";
      if (!has("classifier.weight")) return "";
      const auto& shape = weights_.tensors.at(find("classifier.weight")).shape;
      if (!shape.empty() && shape[0] < 2) other_classifier = "it has one output";
      if (!other_classifier.empty()) return other_classifier;
      config.head = "classifier";
      config.labels = shape.empty() ? 2 : static_cast<std::int64_t>(shape[0]);
    }
    return "";
  }

  void read(const BertConfig& config, std::size_t vocab_size, ForeignModel& model) {
    for (const ExpectedParam& p : expected_params("bert", config, vocab_size)) take(p, model);
    for (const auto& [name, tensor] : weights_.tensors)
      if (used_.count(name) == 0 && !is_known_surplus(name))
        model.notes.push_back("unexpected, not used: " + name);
    if (!problems_.empty())
      throw Error(weights_.where,
                  "tensors must be those of the model in config.json, but:" + problems_);
  }

 private:
  // The name in the file; empty if it is not there. Classifiers stand beside the encoder.
  std::string find(const std::string& name) const {
    std::vector<std::string> candidates = {prefix_ + name, name};
    for (const auto& [now, before] :
         {std::pair("LayerNorm.weight", "LayerNorm.gamma"), {"LayerNorm.bias", "LayerNorm.beta"}})
      if (name.ends_with(now))  // as TensorFlow's checkpoints were converted once
        candidates.push_back(prefix_ + name.substr(0, name.rfind("LayerNorm.")) + before);
    for (const std::string& candidate : candidates)
      if (weights_.tensors.count(candidate) > 0) return candidate;
    return "";
  }

  bool has(const std::string& ours) const { return !find(encoder_name(ours, family_)).empty(); }

  void take(const ExpectedParam& p, ForeignModel& model) {
    const std::string theirs = encoder_name(p.name, family_), name = find(theirs);
    if (name.empty()) return problem("missing: " + prefix_ + theirs);
    used_.insert(name);
    TensorBytes tensor = weights_.tensors.at(name);
    if (tensor.shape != p.shape() && !(p.rows == 1 && tensor.shape == std::vector{p.rows, p.cols}))
      return problem("other shape: " + name + " must be " + shape_text(p.shape()) + ", but is " +
                     shape_text(tensor.shape));
    if (!is_float(tensor.dtype))
      return problem("other dtype: " + name + " must be F32, F16 or BF16, but is " +
                     dtype_name(tensor.dtype));
    if (!all_finite(tensor)) return problem("not finite: " + name);
    tensor.name = p.name;
    tensor.shape = p.shape();
    model.tensors.push_back(std::move(tensor));
  }

  void problem(const std::string& text) { problems_ += "\n  " + text; }

  const Weights& weights_;
  EncoderFamily family_;
  std::string prefix_;  // of all names but those of a head
  std::set<std::string> used_;
  std::string problems_;
};

}  // namespace

std::string encoder_name(const std::string& ours, EncoderFamily family) {
  const std::size_t last = ours.rfind('.');
  const std::string kind = last == std::string::npos ? "" : ours.substr(last);
  std::string stem = ours.substr(0, last), before;
  const Names* names = &outside_of_blocks(family);
  if (stem.starts_with("blocks.")) {
    const std::size_t dot = stem.find('.', 7);
    before = (family == EncoderFamily::Bert ? "encoder.layer." : "transformer.layer.") +
             stem.substr(7, dot - 7) + ".";
    stem = dot == std::string::npos ? "" : stem.substr(dot + 1);
    names = &inside_of_blocks(family);
  }
  const auto found = names->find(stem);
  if (found == names->end() || (kind != ".weight" && kind != ".bias"))
    throw Error("encoder_name",
                "'" + ours + "' must have a counterpart in transformers, but has none");
  return before + found->second + kind;
}

namespace {

// The encoder of `config`, with the head that the weights have.
ForeignModel read_encoder(const Weights& weights,
                          EncoderFamily family,
                          std::unique_ptr<BertConfig> config,
                          const std::string& head,
                          const std::string& other_classifier) {
  EncoderReader reader(weights, family);
  const std::string left = reader.choose_head(*config, head, other_classifier);
  ForeignModel model;
  if (!left.empty())
    model.notes.push_back("the classifier does not tell one label of a text: " + left);
  model.model = "bert";
  model.vocab_size = static_cast<std::size_t>(config->vocab_size);
  reader.read(*config, model.vocab_size, model);
  model.config = std::move(config);
  model.sources = {weights.source};
  return model;
}

}  // namespace

ForeignModel read_hf_encoder(const fs::path& folder, const std::string& head) {
  HfEncoderConfig config = read_encoder_config(folder / "config.json");
  const Weights weights = open_weights(folder);
  ForeignModel model =
      read_encoder(weights, config.family, std::move(config.model), head, config.other_classifier);
  model.format = config.architecture;
  for (const std::string& key : config.unknown)
    model.notes.push_back("config.json: nothing is known of " + key + ", it is not used");
  const auto& settings = dynamic_cast<const BertConfig&>(*model.config);
  if (settings.head == "classifier" &&
      config.labels.size() == static_cast<std::size_t>(settings.labels))
    model.labels = config.labels;
  model.files = {folder / "config.json"};
  model.files.insert(model.files.end(), weights.files.begin(), weights.files.end());
  // vocab.txt does not say how texts are cut: it must not stand in for a tokenizer.json that is
  // refused.
  for (const char* name : {kOwnTokenizerFile, "tokenizer.json"})
    model.tokenizer_files.push_back(folder / name);
  if (!fs::exists(folder / "tokenizer.json")) model.tokenizer_files.push_back(folder / "vocab.txt");
  return model;
}

ForeignModel read_encoder_weights(const fs::path& file,
                                  EncoderFamily family,
                                  const BertConfig& config) {
  auto shape = std::make_unique<BertConfig>();  // what tensors are looked for
  shape->n_layer = config.n_layer;
  shape->n_head = config.n_head;
  shape->d_model = config.d_model;
  shape->d_ff = config.d_ff;
  shape->seq_len = config.seq_len;
  shape->vocab_size = config.vocab_size;
  shape->n_types = config.n_types;
  return read_encoder(file.extension() == ".bin" ? open_pickled(file) : open_safetensors(file),
                      family, std::move(shape), config.head, /*other_classifier=*/"");
}

}  // namespace bitlab
