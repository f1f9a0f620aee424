#pragma once
// A model that another program saved, in our names and layout.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "layers/models/registry.h"

namespace bitlab {

struct ForeignModel {
  std::string format;                    // "LlamaForCausalLM", "llama2.c version 0": for people
  std::string model = "bitnet";          // kind of model: an entry of models()
  std::unique_ptr<Configurable> config;  // its settings
  std::size_t vocab_size = 0;            // of the model
  std::vector<std::string> labels;       // of a classifier, in the order of its logits
  // Every parameter by our names: F32, F16 or BF16 as it was stored. Of a packed model the ternary
  // NAME.weight is U8 as in packed_model.h, and NAME.weight_scale (F32, to multiply by) is there.
  std::vector<TensorBytes> tensors;
  bool packed = false;
  std::vector<std::int32_t> begin, end;      // tokens before a text, and those that each end one
  std::vector<std::filesystem::path> files;  // all that it was read from
  std::vector<std::filesystem::path> tokenizer_files;  // candidates, the best first
  std::vector<std::string> notes;                      // what the user has to be told

  // What the tensors point into.
  std::vector<std::shared_ptr<const void>> sources;
  std::deque<std::vector<float>> floats;
  // Gives back the memory of a tensor that was looked at, if it is a file's.
  std::function<void(const TensorBytes&)> give_back;
};

// A folder of Hugging Face's transformers (config.json and safetensors), or its config.json; for
// encoders see hf_encoder.h. Throws Error that lists every tensor which is missing, unexpected, of
// another shape or dtype.
ForeignModel read_hf_model(const std::filesystem::path& path);

// A .bin of llama2.c; see core/io/llama2c.h.
ForeignModel read_llama2c_model(const std::filesystem::path& path);

// Whichever of them `path` is.
ForeignModel read_foreign_model(const std::filesystem::path& path);

// A parameter that a model of these settings has.
struct ExpectedParam {
  std::string name;  // full
  std::size_t rows = 1, cols = 0;
  bool ternary = false;

  std::vector<std::size_t> shape() const;  // {cols} of a vector
};
std::vector<ExpectedParam> expected_params(const std::string& model,
                                           const Configurable& config,
                                           std::size_t vocab_size);

// Whether no number of a tensor of floats is infinite or NaN.
bool all_finite(const TensorBytes& tensor);

// Whether weights may be of this dtype: F32, F16 or BF16.
bool is_float(DType dtype);

}  // namespace bitlab
