// The part of foreign_model.h that reads folders of Hugging Face's transformers.
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json_nesting.h"
#include "core/io/safetensors_set.h"
#include "core/io/small_floats.h"
#include "experiments/export_model.h"
#include "experiments/foreign_model.h"
#include "experiments/hf_config.h"
#include "experiments/hf_encoder.h"
#include "experiments/hf_names.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kShown = 20;  // problems that an error lists

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text = "[";
  for (const std::size_t n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

// Buffers that older versions saved with the weights.
bool is_known_buffer(const std::string& name) { return name.ends_with(".rotary_emb.inv_freq"); }

// Finds our parameters among theirs, and collects what is wrong.
class HfReader {
 public:
  HfReader(const SafetensorsSet& set, const HfConfig& config, ForeignModel& model)
      : set_(set), config_(config), model_(model) {
    model_.packed = config.weights == HfWeights::Multiply || config.weights == HfWeights::Divide;
  }

  void read() {
    for (const ExpectedParam& p : expected_params("bitnet", *config_.model, model_.vocab_size)) {
      const std::string theirs = hf_name(p.name, config_.architecture);
      if (p.ternary && model_.packed)
        read_packed(p, theirs);
      else
        read_full(p, theirs);
    }
    read_tied_head();
    for (const std::string& name : set_.names())
      if (used_.count(name) == 0 && !is_known_buffer(name)) problem("unexpected: " + name);
    throw_if_any();
  }

 private:
  // Null, and a problem, if it is not there with this shape.
  const TensorBytes* find(const std::string& name, const std::vector<std::size_t>& shape) {
    if (!set_.contains(name)) {
      problem("missing: " + name);
      return nullptr;
    }
    used_.insert(name);
    const TensorBytes& tensor = set_.at(name);
    if (tensor.shape == shape) return &tensor;
    problem("other shape: " + name + " must be " + shape_text(shape) + ", but is " +
            shape_text(tensor.shape));
    return nullptr;
  }

  void read_full(const ExpectedParam& p, const std::string& name) {
    const TensorBytes* tensor = find(name, p.shape());
    if (tensor == nullptr) return;
    if (!is_float(tensor->dtype))
      return problem("other dtype: " + name + " must be F32, F16 or BF16, but is " +
                     dtype_name(tensor->dtype));
    check_finite(*tensor);
    model_.tensors.push_back({p.name, tensor->dtype, tensor->shape, tensor->data});
  }

  void read_packed(const ExpectedParam& p, const std::string& name) {
    if (p.rows % 4 != 0) return problem("rows must be a multiple of 4 to be packed: " + name);
    const TensorBytes* tensor = find(name, {p.rows / 4, p.cols});
    const TensorBytes* scale = find(name + "_scale", {1});
    if (tensor == nullptr || scale == nullptr) return;
    if (tensor->dtype != DType::U8)
      return problem("other dtype: " + name + " must be packed as U8, but is " +
                     dtype_name(tensor->dtype));
    check_codes(*tensor);
    model_.tensors.push_back({p.name, DType::U8, tensor->shape, tensor->data});
    add_scale(p.name + "_scale", *scale);
  }

  void add_scale(const std::string& ours, const TensorBytes& scale) {
    if (!is_float(scale.dtype))
      return problem("other dtype: " + scale.name + " must be floating, but is " +
                     dtype_name(scale.dtype));
    float a = 0;
    set_.read(scale.name, &a, 1);
    if (config_.weights == HfWeights::Divide) a = 1 / a;
    if (!std::isfinite(a) || a <= 0)
      return problem(scale.name + " must stand for a positive scale, but gives " +
                     std::to_string(a));
    model_.floats.push_back({a});
    model_.tensors.push_back({ours, DType::F32, {1}, model_.floats.back().data()});
  }

  void check_codes(const TensorBytes& tensor) {
    const auto* bytes = static_cast<const std::uint8_t*>(tensor.data);
    bool bad = false;
    for (std::size_t i = 0; i < tensor.size(); ++i) bad |= (bytes[i] & bytes[i] >> 1 & 0x55) != 0;
    set_.give_back(tensor);
    if (bad) problem("not ternary: " + tensor.name + " holds the code 3");
  }

  void check_finite(const TensorBytes& tensor) {
    const bool good = all_finite(tensor);
    set_.give_back(tensor);
    if (!good) problem("not finite: " + tensor.name);
  }

  // A head that is said to be the embedding may be there once more, if it is the same.
  void read_tied_head() {
    const std::string head = "lm_head.weight", embedding = "model.embed_tokens.weight";
    if (!config_.model->tie_embeddings || !set_.contains(head) || !set_.contains(embedding)) return;
    used_.insert(head);
    const TensorBytes &a = set_.at(head), &b = set_.at(embedding);
    if (a.bytes() != b.bytes() || std::memcmp(a.data, b.data, a.bytes()) != 0)
      problem(head + " must equal the embedding where tie_word_embeddings is true, but differs");
  }

  void problem(const std::string& text) {
    if (++problem_count_ <= kShown) problems_ += "\n  " + text;
  }

  void throw_if_any() const {
    if (problem_count_ == 0) return;
    std::string more;
    if (problem_count_ > kShown) more = "\n  ... " + std::to_string(problem_count_) + " in all";
    throw Error(set_.where(), "tensors must be those of the " + config_.architecture +
                                  " in config.json, but:" + problems_ + more);
  }

  const SafetensorsSet& set_;
  const HfConfig& config_;
  ForeignModel& model_;
  std::set<std::string> used_;
  std::string problems_;
  std::size_t problem_count_ = 0;
};

// Empty where there is no such file.
json read_optional(const fs::path& path) {
  if (!fs::exists(path)) return json::object();
  const json parsed = json::parse(shallow_json(read_file(path), path.string()), nullptr,
                                  /*allow_exceptions=*/false);
  if (!parsed.is_object()) throw Error(path.string(), "must be a JSON object");
  return parsed;
}

// What the files beside config.json say of it.
void read_token_files(const fs::path& folder, ForeignModel& model) {
  const json generation = read_optional(folder / "generation_config.json");
  if (const auto end = generation.find("eos_token_id"); end != generation.end()) {
    if (end->is_array()) model.end = end->get<std::vector<std::int32_t>>();
    if (end->is_number_integer()) model.end = {end->get<std::int32_t>()};
  }
  const json tokenizer = read_optional(folder / "tokenizer_config.json");
  if (tokenizer.value("add_bos_token", json(true)) == json(false)) model.begin.clear();
}

}  // namespace

ForeignModel read_hf_model(const fs::path& path) {
  const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  if (!fs::exists(folder / "config.json"))
    throw UsageError(folder.string(), "must hold a config.json of transformers, but holds none",
                     "a model of llama2.c is named by its .bin file");
  if (is_encoder_config(folder / "config.json")) return read_hf_encoder(folder);
  HfConfig config = read_hf_config(folder / "config.json");
  const auto set = std::make_shared<const SafetensorsSet>(folder);
  ForeignModel model;
  model.format = config.architecture;
  model.begin = config.begin;
  model.end = config.end;
  model.vocab_size = static_cast<std::size_t>(config.model->vocab_size);
  HfReader(*set, config, model).read();
  try {
    read_token_files(folder, model);
  } catch (const json::exception& e) {
    throw Error(folder.string(), std::string("generation_config.json and tokenizer_config.json "
                                             "must be those of transformers, but ") +
                                     e.what());
  }
  for (const std::string& key : config.unknown)
    model.notes.push_back("config.json: nothing is known of " + key + ", it is not used");
  model.config = std::move(config.model);
  model.files = {folder / "config.json"};
  model.files.insert(model.files.end(), set->paths().begin(), set->paths().end());
  for (const char* name :
       {kOwnTokenizerFile, "tokenizer.json", "tokenizer.model", "encoder.json", "vocab.txt"})
    model.tokenizer_files.push_back(folder / name);
  model.sources = {set};
  model.give_back = [set](const TensorBytes& tensor) { set->give_back(tensor); };
  return model;
}

}  // namespace bitlab
