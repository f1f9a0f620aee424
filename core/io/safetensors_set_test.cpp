// Checkpoints of several files, and what their index may say.
#include "core/io/safetensors_set.h"

#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

const float kA[] = {1, 2}, kB[] = {3}, kC[] = {4, 5, 6};

void write_shards(const fs::path& folder, const std::string& index) {
  write_safetensors(folder / "model-00001-of-00002.safetensors",
                    {{"a", DType::F32, {2}, kA}, {"b", DType::F32, {1}, kB}});
  write_safetensors(folder / "model-00002-of-00002.safetensors", {{"c", DType::F32, {3}, kC}});
  write_file_atomic(folder / "model.safetensors.index.json", index);
}

std::string index_text(const std::string& first, const std::string& map_of_c) {
  return R"({"metadata":{"total_size":24},"weight_map":{"a":")" + first + R"(","b":")" + first +
         "\"" + map_of_c + "}}";
}

const std::string kFirst = "model-00001-of-00002.safetensors";
const std::string kSecond = R"(,"c":"model-00002-of-00002.safetensors")";

std::string refusal(const fs::path& path) {
  try {
    SafetensorsSet set(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string refusal_of_index(const std::string& index) {
  const TestFolder folder;
  write_shards(folder.path(), index);
  return refusal(folder.path());
}

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("shards are read as one set of tensors", "[io][safetensors]") {
  const TestFolder folder;
  write_shards(folder.path(), index_text(kFirst, kSecond));
  for (const fs::path& path : {folder.path(), folder / "model.safetensors.index.json"}) {
    const SafetensorsSet set(path);
    CHECK(set.names() == std::vector<std::string>{"a", "b", "c"});
    CHECK(set.paths().size() == 2);
    float c[3];
    set.read("c", c, 3);
    CHECK(c[2] == 6);
    CHECK(set.at("a").shape == std::vector<std::size_t>{2});
    CHECK_THROWS_AS(set.at("d"), Error);
  }
}

TEST_CASE("one file is a set as well, whatever its name", "[io][safetensors]") {
  const TestFolder folder;
  write_safetensors(folder / "weights.fp16.safetensors", {{"a", DType::F32, {2}, kA}},
                    {{"format", "pt"}});
  for (const fs::path& path : {folder.path(), folder / "weights.fp16.safetensors"}) {
    const SafetensorsSet set(path);
    CHECK(set.names() == std::vector<std::string>{"a"});
    CHECK(set.metadata().at("format") == "pt");
  }
  write_safetensors(folder / "more.safetensors", {{"b", DType::F32, {1}, kB}});
  CHECK(says(refusal(folder.path()), "holds 2"));
  write_safetensors(folder / "model.safetensors", {{"c", DType::F32, {3}, kC}});
  CHECK(SafetensorsSet(folder.path()).names() == std::vector<std::string>{"c"});
}

TEST_CASE("a folder without safetensors says what is missing", "[io][safetensors]") {
  const TestFolder folder;
  CHECK(says(refusal(folder.path()), "holds none"));
  CHECK(says(refusal(folder / "nothing"), "cannot be opened"));
  std::ofstream(folder / "pytorch_model.bin") << "pickle";
  CHECK(says(refusal(folder.path()), "safe_serialization"));
}

TEST_CASE("an index must say what the files hold", "[io][safetensors]") {
  CHECK(refusal_of_index(index_text(kFirst, kSecond)).empty());
  CHECK(refusal_of_index(index_text(kFirst, "")).empty());  // the second file is no part then
  CHECK(says(refusal_of_index(R"({"weight_map":{"a":"model-00001-of-00002.safetensors"}})"),
             "'b' of model-00001-of-00002.safetensors is not"));
  CHECK(says(refusal_of_index(index_text(kFirst, R"(,"c":")" + kFirst + "\"")),
             "'c' must be in " + kFirst));
  CHECK(says(refusal_of_index(index_text(kFirst, R"(,"c":"model-00003.safetensors")")),
             "cannot be opened"));
  for (const char* file :
       {"../model.safetensors", "/etc/passwd", "model.bin", "", "a/b.safetensors"})
    CHECK(says(refusal_of_index(index_text(file, kSecond)), "beside the index"));
  for (const char* text : {"", "[]", "{}", R"({"weight_map":[1]})", R"({"weight_map":{"a":1}})"})
    CHECK(says(refusal_of_index(text), "must map tensors to files"));
  CHECK(says(refusal_of_index(R"({"weight_map":{}})"), "names none"));
}

TEST_CASE("a tensor of two shards is refused", "[io][safetensors]") {
  const TestFolder folder;
  write_shards(folder.path(), index_text(kFirst, kSecond));
  write_safetensors(folder / "model-00002-of-00002.safetensors",
                    {{"c", DType::F32, {3}, kC}, {"a", DType::F32, {2}, kA}});
  CHECK(says(refusal(folder.path()), "must be in one file, but 'a'"));
}
