// bench_tokenizers FILE: megabytes of text a second, on one core, of every named tokenizer.
#include <cstdio>
#include <string>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/bpe_trainer.h"
#include "core/text/named_tokenizers.h"

namespace {

using namespace bitlab;

constexpr std::size_t kDocument = 1000;  // bytes, as a review or a story has

// The best of passes over the text for about three seconds, and at least three.
void measure(const NamedTokenizer& named, const std::string& text) {
  const auto start = Clock::now();
  const auto tokenizer = open_named(named).tokenizer;
  const double load = seconds_since(start);
  double encode = 1e9, pieces = 1e9, decode = 1e9;
  std::size_t tokens = 0;
  for (int pass = 0; pass < 3 || seconds_since(start) < 3; ++pass) {
    const auto begin = Clock::now();
    const auto ids = tokenizer->encode(text);
    encode = std::min(encode, seconds_since(begin));
    const auto small = Clock::now();
    for (std::size_t at = 0; at < text.size(); at += kDocument)
      tokenizer->encode(std::string_view(text).substr(at, kDocument));
    pieces = std::min(pieces, seconds_since(small));
    const auto middle = Clock::now();
    tokenizer->decode(ids);
    decode = std::min(decode, seconds_since(middle));
    tokens = ids.size();
  }
  const auto bytes = static_cast<double>(text.size());
  std::printf("%-14s %10zu %12.2f %12.1f %15.1f %12.1f %8.2f\n", named.name.c_str(), tokens,
              bytes / static_cast<double>(tokens), bytes / encode / 1e6, bytes / pieces / 1e6,
              bytes / decode / 1e6, load);
}

void measure_training(const std::string& text, std::size_t vocab_size) {
  const auto start = Clock::now();
  train_byte_bpe([&](const auto& take) { take(text); }, vocab_size);
  std::printf("a byte-level BPE of %zu tokens is learned in %.2f s\n", vocab_size,
              seconds_since(start));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_tokenizers FILE\n");
    return 2;
  }
  try {
    const std::string text = read_file(argv[1]);
    std::printf("%s, %zu bytes\n%-14s %10s %12s %12s %15s %12s %8s\n", argv[1], text.size(),
                "tokenizer", "tokens", "bytes/token", "encode MB/s", "in 1 kB parts", "decode MB/s",
                "load s");
    for (const NamedTokenizer& named : named_tokenizers()) measure(named, text);
    for (const std::size_t vocab_size : {1024, 4096, 32000}) measure_training(text, vocab_size);
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
