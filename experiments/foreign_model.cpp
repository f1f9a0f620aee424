#include "experiments/foreign_model.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/io/llama2c.h"
#include "layers/models/bitnet.h"
#include "layers/params.h"

namespace bitlab {

namespace fs = std::filesystem;

std::vector<std::size_t> ExpectedParam::shape() const {
  return rows == 1 ? std::vector<std::size_t>{cols} : std::vector<std::size_t>{rows, cols};
}

std::vector<ExpectedParam> expected_params(const std::string& model,
                                           const Configurable& config,
                                           std::size_t vocab_size) {
  const LayerPtr net = models().at(model).build(config, vocab_size);
  std::vector<ExpectedParam> params;
  visit_distinct_params(*net, [&](const std::string& prefix, Param& p) {
    params.push_back({join_name(prefix, p.name), p.rows, p.cols, p.ternary});
  });
  return params;
}

namespace {

// exponent: the bits that are all set in what is infinite or no number.
template <class Bits>
bool none_has(const TensorBytes& tensor, Bits exponent) {
  const auto* bytes = static_cast<const char*>(tensor.data);
  bool good = true;
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    Bits bits;
    std::memcpy(&bits, bytes + i * sizeof(Bits), sizeof(Bits));
    good &= (bits & exponent) != exponent;
  }
  return good;
}

}  // namespace

bool is_float(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

bool all_finite(const TensorBytes& tensor) {
  if (tensor.dtype == DType::F32) return none_has<std::uint32_t>(tensor, 0x7F800000);
  return none_has<std::uint16_t>(tensor, tensor.dtype == DType::BF16 ? 0x7F80 : 0x7C00);
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
  model.vocab_size = static_cast<std::size_t>(c.vocab_size);
  auto settings = std::make_unique<BitnetConfig>();
  BitnetConfig& config = *settings;
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
  model.config = std::move(settings);
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
