#include "experiments/foreign_model.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/llama2c.h"
#include "layers/params.h"

namespace bitlab {

namespace fs = std::filesystem;

std::vector<std::size_t> ExpectedParam::shape() const {
  return rows == 1 ? std::vector<std::size_t>{cols} : std::vector<std::size_t>{rows, cols};
}

std::vector<ExpectedParam> expected_params(const BitnetConfig& config) {
  const LayerPtr net = build_bitnet(config, static_cast<std::size_t>(config.vocab_size));
  std::vector<ExpectedParam> params;
  visit_distinct_params(*net, [&](const std::string& prefix, Param& p) {
    params.push_back({join_name(prefix, p.name), p.rows, p.cols, p.ternary});
  });
  return params;
}

namespace {

// LLaMA turns the numbers 2i and 2i + 1 of a head together, we turn i and i + D / 2.
std::vector<float> to_rotate_half(const TensorBytes& from, std::size_t head) {
  const std::size_t rows = from.shape[0], cols = from.shape[1];
  const auto* const data = static_cast<const float*>(from.data);
  std::vector<float> out(rows * cols);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t i = row % head, pair = i % (head / 2), second = i / (head / 2);
    const float* const source = data + (row - i + 2 * pair + second) * cols;
    std::copy(source, source + cols, out.data() + row * cols);
  }
  return out;
}

// "layers.3.wq" -> "blocks.3.attn.wq.weight".
std::string name_of_llama2c(const std::string& theirs) {
  if (theirs == "tok_embeddings") return "embedding.weight";
  if (theirs == "norm") return "final_norm.weight";
  if (theirs == "output") return "head.weight";
  const std::size_t dot = theirs.find('.', 7);
  const std::string part = theirs.substr(dot + 1);
  const std::string ours = part == "attention_norm" ? "norm1"
                           : part == "ffn_norm"     ? "norm2"
                           : part == "w1"           ? "ffn.w_gate"
                           : part == "w2"           ? "ffn.w_down"
                           : part == "w3"           ? "ffn.w_up"
                                                    : "attn." + part;
  return "blocks." + theirs.substr(7, dot - 7) + "." + ours + ".weight";
}

// tokenizer.bin, those of own vocabularies (tok512.bin), and what they are made from.
std::vector<fs::path> tokenizers_of_llama2c(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("tok") && (name.ends_with(".bin") || name.ends_with(".model")))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

ForeignModel read_llama2c_model(const fs::path& path) {
  const auto file = std::make_shared<const Llama2cFile>(path);
  const Llama2cConfig& c = file->config();
  ForeignModel model;
  model.format = "llama2.c version " + std::to_string(file->version());
  model.config = std::make_unique<BitnetConfig>();
  BitnetConfig& config = *model.config;
  config.n_layer = c.n_layers;
  config.n_head = c.n_heads;
  config.n_kv_head = c.n_kv_heads;
  config.d_model = c.dim;
  config.d_ff = c.hidden_dim;
  config.seq_len = c.seq_len;
  config.vocab_size = c.vocab_size;
  config.norm_eps = 1e-5;
  config.rope_base = 1e4;
  config.tie_embeddings = c.shared_classifier;
  for (TensorBytes tensor : file->tensors()) {
    const bool turned = tensor.name.ends_with(".wq") || tensor.name.ends_with(".wk");
    tensor.name = name_of_llama2c(tensor.name);
    if (turned) {
      model.floats.push_back(to_rotate_half(tensor, static_cast<std::size_t>(c.dim / c.n_heads)));
      tensor.data = model.floats.back().data();
    }
    model.tensors.push_back(std::move(tensor));
  }
  model.begin = {1};
  model.end = {1, 2};  // texts are told apart by <s>, as llama2.c's run.c has it
  model.files = {path};
  model.tokenizer_files = tokenizers_of_llama2c(fs::absolute(path).parent_path());
  model.sources = {file};
  return model;
}

ForeignModel read_foreign_model(const fs::path& path) {
  if (!fs::exists(path)) throw UsageError(path.string(), "must be a model, but does not exist");
  if (fs::is_directory(path) || path.filename() == "config.json") return read_hf_model(path);
  if (path.extension() == ".bin") return read_llama2c_model(path);
  throw UsageError(path.string(),
                   "must be a folder with config.json and safetensors, or a .bin of llama2.c",
                   path.extension() == ".safetensors" ? "name the folder that it lies in" : "");
}

}  // namespace bitlab
