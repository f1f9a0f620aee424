#pragma once
// For the tests of tokenizers: files of the mirror, and llama.cpp's test vectors.
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/text/subword.h"
#include "core/text/utf8.h"

namespace bitlab {

// A file of BITLAB_MIRROR (else of ../shared/data beside the sources); empty, with a warning, if it
// is not there.
inline std::filesystem::path mirror_file(const std::string& name) {
  const char* mirror = std::getenv("BITLAB_MIRROR");
  const char* source = std::getenv("BITLAB_SOURCE_DIR");
  const auto folder = mirror != nullptr
                          ? std::filesystem::path(mirror)
                          : std::filesystem::path(source ? source : ".") / "../shared/data";
  if (std::filesystem::exists(folder / name)) return folder / name;
  WARN("SKIPPED: " << name << " is not in BITLAB_MIRROR");
  return {};
}

// Up to 60 characters of all planes; if not `valid`, with bytes that are no UTF-8 among them.
inline std::string random_text(std::mt19937_64& rng, bool valid) {
  std::string text;
  for (std::uint64_t n = rng() % 60; n > 0; --n) {
    const std::uint64_t kind = rng() % 8;
    char32_t code = static_cast<char32_t>(rng() % (kind < 4 ? 0x80 : kind < 6 ? 0x3000 : 0x110000));
    if (code >= 0xD800 && code < 0xE000) code = ' ';
    if (!valid && kind == 7)
      text += static_cast<char>(rng() % 256);
    else
      append_utf8(text, code);
  }
  return text;
}

// Encodes the texts of llama.cpp's models/ggml-vocab-NAME.gguf.inp, and compares with the ids that
// llama.cpp gives for them (.out, a line a text).
inline void check_llama_cpp_vectors(const SubwordTokenizer& tokenizer, const std::string& name) {
  const std::string stem = "tokenizers/llamacpp-vectors/ggml-vocab-" + name + ".gguf";
  const auto inp = mirror_file(stem + ".inp"), out = mirror_file(stem + ".out");
  if (inp.empty() || out.empty()) return;
  const std::string texts = read_file(inp), separator = "\n__ggml_vocab_test__\n";
  std::istringstream lines(read_file(out));
  std::string line;
  int cases = 0;
  for (std::size_t begin = 0, end; begin < texts.size(); begin = end + separator.size()) {
    end = texts.find(separator, begin);
    REQUIRE(end != std::string::npos);
    REQUIRE(std::getline(lines, line));
    std::istringstream numbers(line);
    std::vector<std::int32_t> expected;
    for (std::int32_t id; numbers >> id;) expected.push_back(id);
    INFO("text " << cases << ": " << texts.substr(begin, end - begin));
    CHECK(tokenizer.encode(texts.substr(begin, end - begin)) == expected);
    ++cases;
  }
  CHECK_FALSE(std::getline(lines, line));
  CHECK(cases == 46);  // all that the files have
}

}  // namespace bitlab
