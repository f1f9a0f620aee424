// llama2.c's files, made by hand: both versions, and what their headers may say.
#include "core/io/llama2c.h"

#include <cstring>
#include <fstream>
#include <numeric>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// dim 4, hidden 6, 2 layers, 2 heads, 1 of keys, 3 tokens, 5 positions.
const std::vector<std::int32_t> kSizes = {4, 6, 2, 2, 1, 3, 5};
constexpr std::size_t kNorms = 2 * 4, kMatrices = 2 * (16 + 8 + 8 + 16 + 3 * 24);

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

// The floats are their own numbers.
void append_floats(std::string& bytes, std::size_t count) {
  std::vector<float> floats(count);
  std::iota(floats.begin(), floats.end(), 0.0f);
  append(bytes, floats.data(), count * sizeof(float));
}

std::string version_0(std::vector<std::int32_t> sizes, std::size_t floats) {
  std::string bytes;
  append(bytes, sizes.data(), sizes.size() * sizeof(std::int32_t));
  append_floats(bytes, floats);
  return bytes;
}

constexpr std::size_t kFloats0 = 12 + kNorms + kMatrices + kNorms + 4 + 5 * 2;

std::string version_1(std::int32_t version, bool shared, std::size_t floats) {
  std::string bytes;
  const std::uint32_t magic = 0x616B3432;
  append(bytes, &magic, 4);
  append(bytes, &version, 4);
  append(bytes, kSizes.data(), 28);
  bytes += static_cast<char>(shared);
  bytes.resize(256, '\0');
  append_floats(bytes, floats);
  return bytes;
}

std::string refusal(const std::string& bytes) {
  const TestFolder folder;
  std::ofstream(folder / "m.bin", std::ios::binary) << bytes;
  try {
    Llama2cFile file(folder / "m.bin");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// Number of the tensor's first float.
float first(const Llama2cFile& file, const std::string& name) {
  for (const TensorBytes& t : file.tensors())
    if (t.name == name) {
      float x;
      std::memcpy(&x, t.data, sizeof x);
      return x;
    }
  return -1;
}

}  // namespace

TEST_CASE("version 0 of llama2.c has its tensors one after the other", "[io][llama2c]") {
  const TestFolder folder;
  std::ofstream(folder / "m.bin", std::ios::binary) << version_0(kSizes, kFloats0);
  const Llama2cFile file(folder / "m.bin");
  CHECK(file.version() == 0);
  CHECK(file.config().shared_classifier);
  CHECK(file.config().n_kv_heads == 1);
  CHECK(file.tensors().size() == 1 + 2 * 9 + 1);
  CHECK(first(file, "tok_embeddings") == 0);
  CHECK(first(file, "layers.0.attention_norm") == 12);
  CHECK(first(file, "layers.1.attention_norm") == 16);
  CHECK(first(file, "layers.0.wq") == 20);
  CHECK(first(file, "layers.1.wq") == 36);
  CHECK(first(file, "layers.0.wk") == 52);
  CHECK(first(file, "layers.0.wv") == 68);
  CHECK(first(file, "layers.0.wo") == 84);
  CHECK(first(file, "layers.0.ffn_norm") == 116);
  CHECK(first(file, "layers.0.w1") == 124);
  CHECK(first(file, "layers.1.w2") == 196);
  CHECK(first(file, "layers.0.w3") == 220);
  CHECK(first(file, "norm") == 268);
  CHECK(file.tensors()[7].shape == std::vector<std::size_t>{2, 4});  // wv of grouped queries
  CHECK(file.tensors()[1].shape == std::vector<std::size_t>{4});
}

TEST_CASE("a head of its own lies at the end", "[io][llama2c]") {
  const TestFolder folder;
  std::vector<std::int32_t> sizes = kSizes;
  sizes[5] = -3;
  std::ofstream(folder / "m.bin", std::ios::binary) << version_0(sizes, kFloats0 + 12);
  const Llama2cFile file(folder / "m.bin");
  CHECK(file.config().vocab_size == 3);
  CHECK_FALSE(file.config().shared_classifier);
  CHECK(first(file, "output") == kFloats0);
  CHECK_FALSE(refusal(version_0(sizes, kFloats0)).empty());
}

TEST_CASE("version 1 of llama2.c is read, version 2 is refused", "[io][llama2c]") {
  constexpr std::size_t floats = 12 + 2 * kNorms + 4 + kMatrices;
  const TestFolder folder;
  std::ofstream(folder / "m.bin", std::ios::binary) << version_1(1, false, floats + 12);
  const Llama2cFile file(folder / "m.bin");
  CHECK(file.version() == 1);
  CHECK_FALSE(file.config().shared_classifier);
  CHECK(first(file, "layers.0.attention_norm") == 0);
  CHECK(first(file, "layers.0.ffn_norm") == 8);
  CHECK(first(file, "norm") == 16);
  CHECK(first(file, "tok_embeddings") == 20);
  CHECK(first(file, "layers.0.wq") == 32);
  CHECK(first(file, "output") == floats);
  CHECK(refusal(version_1(1, true, floats)).empty());
  CHECK(refusal(version_1(2, true, floats)).find("version 2") != std::string::npos);
}

TEST_CASE("llama2.c headers that do not add up are refused", "[io][llama2c]") {
  CHECK(refusal(version_0(kSizes, kFloats0)).empty());
  for (const std::size_t floats : {std::size_t{0}, std::size_t{12}, kFloats0 - 1, kFloats0 + 1})
    CHECK_FALSE(refusal(version_0(kSizes, floats)).empty());
  for (std::size_t i = 0; i < kSizes.size(); ++i)
    for (const std::int32_t bad : {0, -1, 1 << 30, INT32_MIN}) {
      std::vector<std::int32_t> sizes = kSizes;
      sizes[i] = bad;
      if (i != 5 || bad != -1) CHECK_FALSE(refusal(version_0(sizes, kFloats0)).empty());
    }
  std::vector<std::int32_t> huge(7, 1 << 24);
  huge[3] = huge[4] = 1 << 23;
  CHECK_FALSE(refusal(version_0(huge, kFloats0)).empty());
  CHECK_FALSE(refusal("").empty());
  CHECK_FALSE(refusal("ak42").empty());
  std::vector<std::int32_t> odd = kSizes;
  odd[0] = 6;  // heads of width 3
  CHECK(refusal(version_0(odd, kFloats0)).find("even width") != std::string::npos);
}
