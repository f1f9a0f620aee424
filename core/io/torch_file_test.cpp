// Checkpoints of PyTorch, read without running anything.
#include "core/io/torch_file.h"

#include <cstring>
#include <random>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/small_floats.h"
#include "core/io/test_folder.h"
#include "core/io/torch_pickle.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// Files that torch.save wrote (tests/oracle/bert_oracle.py --save).
fs::path saved(const std::string& name) {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  return fs::path(root ? root : ".") / "tests/oracle/torch" / name;
}

const TensorBytes& at(const TorchFile& file, const std::string& name) {
  for (const TensorBytes& tensor : file.tensors())
    if (tensor.name == name) return tensor;
  FAIL("no tensor " + name);
  throw Error("test", name);
}

std::string refusal(const std::string& pickle) {
  std::size_t begin = 0;
  try {
    read_pickle("hostile", pickle, begin);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string text(const std::string& s) {
  return std::string("\x8c") + static_cast<char>(s.size()) + s;
}

}  // namespace

TEST_CASE("both formats of torch.save give the tensors that were saved", "[torch]") {
  const TorchFile zip(saved("zip.bin")), old(saved("old.bin"));
  REQUIRE(zip.tensors().size() == 5);
  REQUIRE(old.tensors().size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const TensorBytes &a = zip.tensors()[i], &b = old.tensors()[i];
    INFO(a.name);
    CHECK(a.name == b.name);
    CHECK(a.dtype == b.dtype);
    CHECK(a.shape == b.shape);
    CHECK(std::memcmp(a.data, b.data, a.bytes()) == 0);
  }
  const TensorBytes& words = at(zip, "embeddings.word_embeddings.weight");
  CHECK(words.dtype == DType::F32);
  CHECK(words.shape == std::vector<std::size_t>{5, 4});
  float first = 0;
  std::memcpy(&first, words.data, sizeof first);
  CHECK(first == Approx(-1.5256f).margin(1e-4));  // torch.manual_seed(1); torch.randn(5, 4)
  const TensorBytes& shared = at(zip, "shared");  // rows 2 and 3 of the same numbers
  CHECK(shared.shape == std::vector<std::size_t>{2, 4});
  CHECK(std::memcmp(shared.data, static_cast<const char*>(words.data) + 2 * 4 * 4, 32) == 0);
  CHECK(at(zip, "half").dtype == DType::F16);
  CHECK(at(zip, "bfloat").dtype == DType::BF16);
  std::int64_t numbers[3];
  std::memcpy(numbers, at(zip, "long").data, sizeof numbers);
  CHECK((numbers[0] == 0 && numbers[1] == 1 && numbers[2] == 2));
}

TEST_CASE("weights of modules and of training scripts are found", "[torch]") {
  const TorchFile module(saved("module.bin"));
  CHECK(at(module, "weight").shape == std::vector<std::size_t>{2, 4});
  CHECK(at(module, "bias").shape == std::vector<std::size_t>{2});
  for (const char* name : {"training.bin", "training_old.bin"}) {
    INFO(name);
    const TorchFile training(saved(name));
    REQUIRE(training.tensors().size() == 1);
    const TensorBytes& ones = at(training, "w");
    for (std::size_t i = 0; i < 6; ++i) {
      float one = 0;
      std::memcpy(&one, static_cast<const char*>(ones.data) + 4 * i, sizeof one);
      CHECK(one == 1);
    }
  }
}

TEST_CASE("what a pickle asks to run is refused by its name", "[torch][hostile]") {
  CHECK_THROWS_WITH(
      TorchFile(saved("whole_module.bin")),
      Catch::Contains("torch.nn.modules.linear.Linear") && Catch::Contains("may run programs"));
  CHECK_THROWS_WITH(TorchFile(saved("transposed.bin")), Catch::Contains("row by row"));
  const std::string begin = "\x80\x02", run = text("touch /tmp/owned") + "\x85R.";
  CHECK_THAT(refusal(begin + "cposix\nsystem\n" + run), Catch::Contains("posix.system"));
  CHECK_THAT(refusal(begin + text("builtins") + text("eval") + "\x93" + run),
             Catch::Contains("builtins.eval"));
  CHECK_THAT(refusal("\x80\x02(iposix\nsystem\n."), Catch::Contains("instruction"));
  CHECK_THAT(refusal(begin + "cposix\nsystem"), Catch::Contains("cut off"));
  // Functions that are known, on what they are not for.
  CHECK_THAT(refusal(begin + "ccollections\nOrderedDict\n" + text("a") + "\x85R."),
             Catch::Contains("no dict"));
  CHECK_THAT(refusal(begin + "ctorch._utils\n_rebuild_tensor_v2\n)R."),
             Catch::Contains("no tensor"));
  CHECK_THAT(refusal(begin + "ctorch\nFloatStorage\n)R."), Catch::Contains("call of"));
  CHECK_THAT(refusal(begin + text("key") + "Q."), Catch::Contains("no storage"));
  // Stacks and memos that are not there.
  CHECK_THAT(refusal("."), Catch::Contains("empty stack"));
  CHECK_THAT(refusal("h\x05."), Catch::Contains("not kept"));
  CHECK_THAT(refusal("t."), Catch::Contains("empty stack"));
  CHECK_THAT(refusal("}K\x01(u."), Catch::Contains("another kind"));
  CHECK_THAT(refusal("X\xff\xff\xff\x7f."), Catch::Contains("names none"));
  CHECK_THAT(refusal(std::string(3000000, 'N')), Catch::Contains("more values"));
  // 2 bytes of file for a copy of a text of 255.
  std::string copies = text(std::string(255, 'a')) + "q" + std::string(1, '\0');
  for (int i = 0; i < 1000000; ++i) copies += std::string("h\0", 2);
  CHECK_THAT(refusal(copies), Catch::Contains("more values"));
  // A dict of one pair, named again and again.
  std::string pairs = "\x80\x02" + text(std::string(255, 'k')) + "N\x86q" + std::string(1, '\0') +
                      "ccollections\nOrderedDict\n](";
  for (int i = 0; i < 600000; ++i) pairs += std::string("h\0", 2);
  CHECK_THAT(refusal(pairs + "e\x85R."), Catch::Contains("more values"));
  // A tensor of a thousand dimensions.
  std::string shape = "(";
  for (int i = 0; i < 1000; ++i) shape += "K\x01";
  shape += "t";
  const std::string storage =
      "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x01tQ";
  CHECK_THAT(refusal("\x80\x02"
                     "ctorch._utils\n_rebuild_tensor_v2\n(" +
                     storage + std::string("K\0", 2) + shape + shape + "tR."),
             Catch::Contains("no shape"));
}

TEST_CASE("values may be nested as deep as they like, and hold themselves", "[torch][hostile]") {
  std::size_t begin = 0;
  const std::string deep = "N" + std::string(1000000, '\x85') + ".";
  CHECK(read_pickle("deep", deep, begin).containers.size() == 1000000);
  begin = 0;
  const Pickle loop = read_pickle("loop", std::string("]q\0h\0a.", 7), begin);
  REQUIRE(loop.value.items->size() == 1);
  CHECK(loop.value.items->front().items == loop.value.items);
}

TEST_CASE("files that are cut off or damaged give an error and nothing worse", "[torch][hostile]") {
  const TestFolder folder;
  const fs::path path = folder / "pytorch_model.bin";
  std::mt19937_64 rng(3);
  for (const char* name : {"zip.bin", "old.bin", "module.bin"}) {
    const std::string whole = read_file(saved(name));
    for (std::size_t size = 0; size < whole.size() * 3 / 4; size += 1 + size / 40) {
      INFO(name << " cut to " << size);
      write_file_atomic(path, whole.substr(0, size));
      CHECK_THROWS_AS(TorchFile(path), Error);
    }
    for (int i = 0; i < 400; ++i) {
      std::string damaged = whole;
      for (int k = 0; k < 3; ++k) damaged[rng() % damaged.size()] = static_cast<char>(rng());
      write_file_atomic(path, damaged);
      try {
        const TorchFile file(path);  // a changed number is none the less a number
        for (const TensorBytes& tensor : file.tensors()) {
          const auto* bytes = static_cast<const char*>(tensor.data);
          std::size_t sum = 0;
          for (std::size_t b = 0; b < tensor.bytes(); ++b)
            sum += static_cast<unsigned char>(bytes[b]);
          CHECK(sum < 1000000);
        }
      } catch (const Error&) {
      }
    }
  }
  write_file_atomic(path, "no checkpoint");
  CHECK_THROWS_WITH(TorchFile(path), Catch::Contains("torch.save"));
}
