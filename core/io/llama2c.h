#pragma once
// Model files of llama2.c (github.com/karpathy/llama2.c, export.py): LLaMA's weights in float32,
// one after the other, behind a small header. Version 0 (no magic number, as the published
// tinyllamas) and version 1; version 2 (int8) is refused.
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/io/mapped_file.h"
#include "core/io/safetensors.h"

namespace bitlab {

struct Llama2cConfig {
  std::int64_t dim = 0, hidden_dim = 0, n_layers = 0, n_heads = 0, n_kv_heads = 0;
  std::int64_t vocab_size = 0, seq_len = 0;
  bool shared_classifier = true;  // the head reads the token embedding
};

// Tensors have llama2.c's names, those of layers with the layer's number: "tok_embeddings",
// "layers.0.attention_norm", "layers.0.wq", wk, wv, wo, "layers.0.ffn_norm", w1, w2, w3, "norm",
// "output" (only without shared_classifier). Matrices are out x in. Rows of wq and wk lie as
// LLaMA's rotary positions want them: the two numbers of a pair side by side.
class Llama2cFile {
 public:
  // Throws Error if the file is of another kind, or its size is not that of its header.
  explicit Llama2cFile(const std::filesystem::path& path);

  const Llama2cConfig& config() const { return config_; }
  int version() const { return version_; }
  const std::vector<TensorBytes>& tensors() const { return tensors_; }  // F32, in the file's order

 private:
  std::size_t read_header();
  void place_version_0();
  void place_version_1();
  void place(const std::string& name, std::size_t rows, std::size_t cols);
  void place_layers(const std::string& name, std::size_t rows, std::size_t cols);
  void skip(std::size_t floats);

  MappedFile file_;
  Llama2cConfig config_;
  int version_ = 0;
  std::size_t at_ = 0;  // bytes of the file that have a meaning so far
  std::vector<TensorBytes> tensors_;
};

}  // namespace bitlab
