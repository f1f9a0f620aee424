#include "core/io/llama2c.h"

#include <cstdlib>
#include <cstring>

#include "core/base/error.h"

namespace bitlab {

namespace {

constexpr std::uint32_t kMagic = 0x616B3432;              // "ak42"
constexpr std::size_t kHeaderOfVersion1 = 256;            // bytes, padded with zeros
constexpr std::int64_t kLargest = std::int64_t{1} << 24;  // of any number in a header

void check(const Llama2cConfig& c, const std::string& where) {
  for (const std::int64_t n :
       {c.dim, c.hidden_dim, c.n_layers, c.n_heads, c.n_kv_heads, c.vocab_size, c.seq_len})
    if (n <= 0 || n > kLargest)
      throw Error(where,
                  "must begin with llama2.c's header, but a size there is " + std::to_string(n));
  if (c.dim % c.n_heads != 0 || c.dim / c.n_heads % 2 != 0 || c.n_heads % c.n_kv_heads != 0)
    throw Error(where,
                "header must give heads of an even width and whole groups of them, but has "
                "dim " +
                    std::to_string(c.dim) + ", " + std::to_string(c.n_heads) + " heads and " +
                    std::to_string(c.n_kv_heads) + " of keys");
}

}  // namespace

Llama2cFile::Llama2cFile(const std::filesystem::path& path) : file_(path) {
  at_ = read_header();
  if (version_ == 0)
    place_version_0();
  else
    place_version_1();
  if (at_ != file_.size())
    throw Error(file_.where(),
                "must have " + std::to_string(at_) + " bytes by its header, but has " +
                    std::to_string(file_.size()),
                "the file is cut off, or none of llama2.c's");
}

std::size_t Llama2cFile::read_header() {
  std::int32_t words[10] = {};
  if (file_.size() < sizeof words)
    throw Error(file_.where(), "must begin with llama2.c's header, but has " +
                                   std::to_string(file_.size()) + " bytes");
  std::memcpy(words, file_.data(), sizeof words);
  const bool magic = static_cast<std::uint32_t>(words[0]) == kMagic;
  version_ = magic ? words[1] : 0;
  if (magic && version_ != 1)
    throw Error(file_.where(), "must be of version 0 or 1 (float32), but is of version " +
                                   std::to_string(version_));
  const std::int32_t* const w = words + (magic ? 2 : 0);
  config_ = {w[0], w[1], w[2], w[3], w[4], std::abs(std::int64_t{w[5]}), w[6], w[5] > 0};
  check(config_, file_.where());
  if (!magic) return 7 * sizeof(std::int32_t);
  config_.shared_classifier = file_.data()[9 * sizeof(std::int32_t)] != 0;
  return kHeaderOfVersion1;
}

void Llama2cFile::skip(std::size_t floats) {
  const std::size_t bytes = floats * sizeof(float);
  if (at_ + bytes > file_.size())
    throw Error(file_.where(),
                "must have at least " + std::to_string(at_ + bytes) +
                    " bytes by its header, but has " + std::to_string(file_.size()),
                "the file is cut off, or none of llama2.c's");
  at_ += bytes;
}

void Llama2cFile::place(const std::string& name, std::size_t rows, std::size_t cols) {
  const char* const begin = file_.data() + at_;
  skip(rows * cols);  // at most 2^48 floats
  std::vector<std::size_t> shape = {rows, cols};
  if (rows == 1) shape = {cols};
  tensors_.push_back({name, DType::F32, std::move(shape), begin});
}

void Llama2cFile::place_layers(const std::string& name, std::size_t rows, std::size_t cols) {
  for (std::int64_t layer = 0; layer < config_.n_layers; ++layer)
    place("layers." + std::to_string(layer) + "." + name, rows, cols);
}

void Llama2cFile::place_version_0() {
  const auto dim = static_cast<std::size_t>(config_.dim);
  const auto hidden = static_cast<std::size_t>(config_.hidden_dim);
  const auto head = dim / static_cast<std::size_t>(config_.n_heads);
  const auto keys = head * static_cast<std::size_t>(config_.n_kv_heads);
  const auto vocab = static_cast<std::size_t>(config_.vocab_size);
  place("tok_embeddings", vocab, dim);
  place_layers("attention_norm", 1, dim);
  place_layers("wq", dim, dim);
  place_layers("wk", keys, dim);
  place_layers("wv", keys, dim);
  place_layers("wo", dim, dim);
  place_layers("ffn_norm", 1, dim);
  place_layers("w1", hidden, dim);
  place_layers("w2", dim, hidden);
  place_layers("w3", hidden, dim);
  place("norm", 1, dim);
  skip(static_cast<std::size_t>(config_.seq_len) * head);  // cosines and sines of the positions
  if (!config_.shared_classifier) place("output", vocab, dim);
}

void Llama2cFile::place_version_1() {
  const auto dim = static_cast<std::size_t>(config_.dim);
  const auto hidden = static_cast<std::size_t>(config_.hidden_dim);
  const auto keys = dim / static_cast<std::size_t>(config_.n_heads) *
                    static_cast<std::size_t>(config_.n_kv_heads);
  const auto vocab = static_cast<std::size_t>(config_.vocab_size);
  place_layers("attention_norm", 1, dim);
  place_layers("ffn_norm", 1, dim);
  place("norm", 1, dim);
  place("tok_embeddings", vocab, dim);
  place_layers("wq", dim, dim);
  place_layers("wk", keys, dim);
  place_layers("wv", keys, dim);
  place_layers("wo", dim, dim);
  place_layers("w1", hidden, dim);
  place_layers("w2", dim, hidden);
  place_layers("w3", hidden, dim);
  if (!config_.shared_classifier) place("output", vocab, dim);
}

}  // namespace bitlab
