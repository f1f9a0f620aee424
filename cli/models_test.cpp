// Models at the command line: imported, shown, verified, judged, made to speak, exported.
#include <nlohmann/json.hpp>

#include "cli/test_program.h"
#include "core/text/tokenizer_test.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// The two streams of a verb, which must end with `code`.
struct Said {
  std::string out, err;
};

Said say(const Program& program, const std::vector<std::string>& args, int code = 0) {
  const std::string err = program.results().string() + ".err";
  const int got = program.run(args, [&] {
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
  });
  const Said said{program.output(), read_file(err)};
  INFO(said.out << said.err);
  CHECK(got == code);
  return said;
}

std::string oracle(const std::string& name) {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  REQUIRE(root != nullptr);
  return std::string(root) + "/tests/oracle/hf/" + name;
}

// Of 24 tokens, as the small checkpoints have.
std::string letters(const TestFolder& folder) {
  const fs::path path = folder / "tokenizer.bitlab.json";
  std::string text = R"({"type":"char","characters":["a")";
  for (char c = 'b'; c <= 'x'; ++c) text += std::string(",\"") + c + "\"";
  write_file_atomic(path, text + "]}");
  return path.string();
}

}  // namespace

TEST_CASE("a packed checkpoint goes all the way", "[cli][models]") {
  const TestFolder folder;
  const Program program(folder.path(), "results");
  const std::string run = (folder / "run").string(), back = (folder / "back").string();
  const Said imported =
      say(program, {"import", oracle("multiply"), "--out", run, "--tokenizer", letters(folder)});
  CHECK(imported.out == run + "\n");
  CHECK(contains(imported.err, "BitNetForCausalLM: 4384 parameters, 3840 of them ternary"));

  const Said shown = say(program, {"show", run});
  CHECK(contains(shown.out, "done: imported, BitNetForCausalLM"));
  CHECK(contains(shown.out, "imported.files.0.sha256"));
  const Said proof = say(program, {"verify", run});
  CHECK(contains(proof.out, "loss on random tokens"));
  CHECK(contains(proof.out, "\nPASS\n"));

  const std::vector<std::string> greedy = {"generate",      run, "--prompt",     "abc",
                                           "--temperature", "0", "--max-tokens", "20"};
  const Said text = say(program, greedy);
  CHECK(text.out.starts_with("abc"));
  CHECK(text.out.ends_with("\n"));
  CHECK(contains(text.err, "prompt: 4 tokens"));  // <s> stands before it
  CHECK(contains(text.err, "tokens/s"));

  say(program, {"export", run, "--format", "hf", "--weights", "packed", "-o", back});
  CHECK(fs::file_size(fs::path(back) / "model.safetensors") > 0);
  say(program, {"import", back, "--out", back + "-run"});
  std::vector<std::string> again = greedy;
  again[1] = back + "-run";
  CHECK(say(program, again).out == text.out);
}

TEST_CASE("eval writes JSON that agrees with the run", "[cli][models]") {
  const TestFolder folder;
  const Program program(folder.path(), "results");
  const std::string file = (folder / "small.toml").string();
  std::ofstream(file) << small_experiment(/*seeds=*/1, /*steps=*/20, /*checkpoint_every=*/20)
                      << "[arms.bit.eval]\nprotocol = \"full\"\n";
  REQUIRE(program.run({"run", file}) == 0);
  const Said said = say(program, {"eval", "small/bit", "--json"});
  const auto json = nlohmann::json::parse(said.out);
  for (const fs::path& run : program.runs("small"))
    if (run.string().find("bit-") != std::string::npos)
      CHECK(json.at("loss") == *RunFolder(run).status().val_loss);
  CHECK(json.at("tokens") > 1000);
  CHECK(json.at("data") == "synthetic-plays");
  CHECK(json.at("packed") == false);
  const Said text = say(program, {"eval", "small/bit", "--packed", "--stride", "8"});
  CHECK(contains(text.out, "packed.safetensors"));
  CHECK(contains(text.out, "16 tokens, one every 8"));
}

TEST_CASE("what cannot be done to a model is told, with exit code 2 or 1", "[cli][models]") {
  const TestFolder folder;
  const Program program(folder.path(), "results");
  const std::string run = (folder / "run").string();
  say(program, {"import", oracle("llama")}, 2);
  say(program, {"import", (folder / "none").string(), "--out", run}, 2);
  say(program, {"import", oracle("llama"), "--out", run}, 2);  // no tokenizer
  const Said broken = say(program, {"import", folder.path().string(), "--out", run}, 2);
  CHECK(contains(broken.err, "config.json"));
  CHECK_FALSE(fs::exists(run));
  say(program, {"import", oracle("llama"), "--out", run, "--tokenizer", letters(folder)});
  say(program, {"import", oracle("llama"), "--out", run, "--tokenizer", letters(folder)}, 2);
  CHECK(contains(say(program, {"verify", run}, 2).err, "not ternary"));
  CHECK(contains(say(program, {"rerun", run}, 2).err, "was imported"));
  CHECK(contains(say(program, {"eval", run}, 2).err, "--data"));
  CHECK(contains(
      say(program,
          {"export", run, "--format", "hf", "--weights", "packed", "-o", (folder / "x").string()},
          2)
          .err,
      "must be ternary"));
  say(program, {"export", run, "--format", "gguf"}, 2);
  say(program, {"export", run, "--format", "hf"}, 2);
  say(program, {"generate", run, "--top-p", "0"}, 2);
  say(program, {"generate", run, "--stop", ""}, 2);
  CHECK(contains(say(program, {"generate", run, "--max-tokens", "-1"}, 2).err, "not negative"));
  CHECK(
      contains(say(program, {"eval", run, "--data", "x", "--threads", "-1"}, 2).err, "but got -1"));
}
