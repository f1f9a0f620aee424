// bench_tokenizers FILE: megabytes of text a second, on one core, of every named tokenizer.
#include <chrono>
#include <cstdio>
#include <string>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/named_tokenizers.h"

namespace {

using namespace bitlab;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The best of passes over the text for about three seconds, and at least three.
void measure(const NamedTokenizer& named, const std::string& text) {
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = open_named(named).tokenizer;
  const double load = seconds_since(start);
  double encode = 1e9, decode = 1e9;
  std::size_t tokens = 0;
  for (int pass = 0; pass < 3 || seconds_since(start) < 3; ++pass) {
    const auto begin = std::chrono::steady_clock::now();
    const auto ids = tokenizer->encode(text);
    encode = std::min(encode, seconds_since(begin));
    const auto middle = std::chrono::steady_clock::now();
    tokenizer->decode(ids);
    decode = std::min(decode, seconds_since(middle));
    tokens = ids.size();
  }
  const auto bytes = static_cast<double>(text.size());
  std::printf("%-14s %10zu %12.2f %13.1f %13.1f %9.2f\n", named.name.c_str(), tokens,
              bytes / static_cast<double>(tokens), bytes / encode / 1e6, bytes / decode / 1e6,
              load);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_tokenizers FILE\n");
    return 2;
  }
  try {
    const std::string text = read_file(argv[1]);
    std::printf("%s, %zu bytes\n%-14s %10s %12s %13s %13s %9s\n", argv[1], text.size(), "tokenizer",
                "tokens", "bytes/token", "encode MB/s", "decode MB/s", "load s");
    for (const NamedTokenizer& named : named_tokenizers()) measure(named, text);
  } catch (const Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
