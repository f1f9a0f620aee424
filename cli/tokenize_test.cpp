// bitlab tokenize and detokenize, as a person starts them.
#include <sstream>

#include "cli/test_program.h"
#include "core/base/catch.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// One way from standard input to the output.
std::string piped(const Program& program,
                  const std::vector<std::string>& args,
                  const std::string& input,
                  int expected = 0) {
  const fs::path file = program.results().string() + ".in";
  write_file_atomic(file, input);
  CHECK(program.run(args, [&] { ::dup2(::open(file.c_str(), O_RDONLY), STDIN_FILENO); }) ==
        expected);
  return program.output();
}

std::string json_list(const std::string& numbers) {
  std::istringstream words(numbers);
  std::string list = "[", word;
  while (words >> word) list += (list.size() > 1 ? ", " : "") + word;
  return list + "]\n";
}

}  // namespace

TEST_CASE("tokenize gives llama.cpp's ids, and detokenize the text", "[tokenize][data]") {
  const char* mirror = std::getenv("BITLAB_MIRROR");
  const fs::path folder = fs::path(mirror ? mirror : "") / "tokenizers/llamacpp-vectors";
  if (mirror == nullptr || !fs::exists(folder)) {
    WARN("SKIPPED: the test vectors are not in BITLAB_MIRROR");
    return;
  }
  const TestFolder root;
  const Program program(root / "", "tokenize");
  for (const auto& [name, stem] : {std::pair<std::string, std::string>{"llama3", "llama-bpe"},
                                   {"gpt2", "gpt-2"},
                                   {"llama2", "llama-spm"},
                                   {"bert-uncased", "bert-bge"}}) {
    INFO(name);
    const std::string texts = read_file(folder / ("ggml-vocab-" + stem + ".gguf.inp"));
    std::istringstream expected(read_file(folder / ("ggml-vocab-" + stem + ".gguf.out")));
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::string line;
    int cases = 0;
    for (std::size_t at = 0; at < texts.size() && cases < 12; ++cases) {
      const std::size_t end = texts.find(separator, at);
      const std::string text = texts.substr(at, end - at);
      REQUIRE(std::getline(expected, line));
      const std::string ids = piped(program, {"tokenize", "--tokenizer", name, "--json"}, text);
      CHECK(ids == json_list(line));
      if (name != "bert-uncased")
        CHECK(piped(program, {"detokenize", "--tokenizer", name}, ids) == text);
      at = end + separator.size();
    }
  }
}

TEST_CASE("what tokenize and detokenize refuse", "[tokenize]") {
  const TestFolder root;
  const Program program(root / "", "tokenize");
  piped(program, {"tokenize"}, "x", 2);
  CHECK(piped(program, {"tokenize", "--tokenizer", "llama4"}, "x", 2).find("llama3, gpt2") !=
        std::string::npos);
  piped(program, {"tokenize", "--tokenizer", (root / "no").string()}, "x", 1);
  piped(program, {"tokenize", "--tokenizer", "gpt2", "--bos"}, "x", 2);
}
