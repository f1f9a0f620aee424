#include "core/io/safetensors.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

std::string with_length(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

// What a file with this header and data is refused for; empty if it is accepted.
std::string refusal(const std::string& content) {
  const TestFolder folder;
  std::ofstream(folder / "x.safetensors", std::ios::binary) << content;
  try {
    SafetensorsFile file(folder / "x.safetensors");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string refusal(const std::string& header, std::size_t data_size) {
  return refusal(with_length(header, std::string(data_size, 'd')));
}

bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a safetensors file has exactly the bytes of the format", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1.0f, -2.0f};
  const std::uint8_t codes[] = {7, 8, 9};
  write_safetensors(folder / "m.safetensors",
                    {{"w", DType::F32, {1, 2}, w}, {"codes", DType::U8, {3}, codes}},
                    {{"format", "pt"}});
  std::string header =
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("codes":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  header.append((64 - (8 + header.size()) % 64) % 64, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x07\x08\x09", 11);
  CHECK(read_file(folder / "m.safetensors") == with_length(header, data));
}

TEST_CASE("tensors come back as they were written", "[io][safetensors]") {
  const TestFolder folder;
  const double d[] = {0.1, -1e300};
  const float f[] = {1.5f, 2.5f, NAN};
  const std::int64_t step = -3;
  const std::uint8_t u[] = {255};
  const fs::path path = folder / "new" / "m.safetensors";
  write_safetensors(path, {{"u", DType::U8, {1}, u},
                           {"f", DType::F32, {3, 1}, f},
                           {"step", DType::I64, {}, &step},
                           {"empty", DType::F32, {0, 4}, nullptr},
                           {"d", DType::F64, {2}, d}});
  const SafetensorsFile file(path);
  REQUIRE(file.tensors().size() == 5);
  CHECK(file.tensors()[0].name == "u");
  CHECK(file.at("f").shape == std::vector<std::size_t>{3, 1});
  CHECK(file.at("step").shape.empty());
  CHECK(file.contains("empty"));
  CHECK_FALSE(file.contains("v"));
  std::int64_t step_back = 0;
  file.read("step", &step_back, 1);
  CHECK(step_back == -3);
  double d_back[2];
  file.read("d", d_back, 2);
  CHECK(d_back[0] == 0.1);
  CHECK(d_back[1] == -1e300);
  float f_back[3];
  file.read("f", f_back, 3);
  CHECK(std::memcmp(f_back, f, sizeof f) == 0);
  std::uint8_t u_back = 0;
  file.read("u", &u_back, 1);
  CHECK(u_back == 255);
}

TEST_CASE("half and brain floats are read exactly", "[io][safetensors]") {
  const TestFolder folder;
  const std::uint16_t half[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8001,
                                0x0400, 0x7c00, 0xfc00, 0x3555, 0x0000};
  const float want[] = {1,        -2,       65504,     0x1p-24f,        -0x1p-24f,
                        0x1p-14f, INFINITY, -INFINITY, 0.333251953125f, 0};
  const std::uint16_t brain[] = {0x3f80, 0xc000, 0x4049};
  write_safetensors(folder / "h.safetensors",
                    {{"h", DType::F16, {10}, half}, {"b", DType::BF16, {3}, brain}});
  const SafetensorsFile file(folder / "h.safetensors");
  float h[10], b[3];
  file.read("h", h, 10);
  for (int i = 0; i < 10; ++i) CHECK(h[i] == want[i]);
  file.read("b", b, 3);
  CHECK(b[0] == 1.0f);
  CHECK(b[1] == -2.0f);
  CHECK(b[2] == 3.140625f);
}

TEST_CASE("reading the wrong name, size or dtype is refused", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1, 2};
  write_safetensors(folder / "m.safetensors", {{"w", DType::F32, {2}, w}});
  const SafetensorsFile file(folder / "m.safetensors");
  float out[3];
  std::int64_t number;
  CHECK_THROWS_AS(file.read("v", out, 2), Error);
  CHECK_THROWS_AS(file.read("w", out, 3), Error);
  CHECK_THROWS_AS(file.read("w", &number, 2), Error);
}

TEST_CASE("writing that fails leaves the old file", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1, 2};
  const fs::path path = folder / "m.safetensors";
  write_safetensors(path, {{"w", DType::F32, {2}, w}});
  const std::string before = read_file(path);
  CHECK_THROWS_AS(write_safetensors(path, {{"a", DType::F32, {2}, w}, {"a", DType::F32, {2}, w}}),
                  Error);
  CHECK_THROWS_AS(write_safetensors(path, {{"\xff", DType::F32, {2}, w}}), Error);
  CHECK(read_file(path) == before);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("hostile safetensors headers are refused with the reason", "[io][safetensors]") {
  const auto tensor = [](const std::string& name, const std::string& shape,
                         const std::string& offsets) {
    return '"' + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  CHECK(refusal("{" + tensor("a", "[2]", "[0,8]") + "}   ", 8).empty());
  CHECK(refusal("{}", 0).empty());

  CHECK(says(refusal("abc"), "at least 8 bytes"));
  CHECK(says(refusal(""), "at least 8 bytes"));
  CHECK(says(refusal(std::string("\xff\0\0\0\0\0\0\0{}", 10)), "within the file"));
  CHECK(says(refusal(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10)), "at most 100000000"));
  CHECK(says(refusal(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)), "at most 100000000"));
  CHECK(says(refusal("{" + tensor("a", "[2]", "[0,8]"), 8), "must be JSON"));
  CHECK(says(refusal("\"\xff\"", 0), "must be JSON"));
  CHECK(says(refusal("[]", 0), "JSON object"));
  CHECK(says(refusal(std::string(100000, '['), 0), "nested"));

  const std::string a = tensor("a", "[2]", "[0,8]");
  CHECK(says(refusal("{" + a + "," + tensor("a", "[2]", "[8,16]") + "}", 16), "comes twice"));
  CHECK(says(refusal(R"({"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})", 8),
             "comes twice"));
  CHECK(says(refusal("{" + a + "," + tensor("b", "[2]", "[4,12]") + "}", 12), "without overlap"));
  CHECK(says(refusal("{" + a + "," + tensor("b", "[2]", "[0,8]") + "}", 8), "without overlap"));
  CHECK(says(refusal("{" + a + "," + tensor("b", "[2]", "[12,20]") + "}", 20), "without overlap"));
  CHECK(says(refusal("{" + a + "}", 12), "fill the file"));
  CHECK(says(refusal("{" + a + "}", 4), "within the 4 data bytes"));
  CHECK(says(refusal("{" + tensor("a", "[2]", "[8,0]") + "}", 8), "within the 8 data bytes"));
  CHECK(
      says(refusal("{" + tensor("a", "[2]", "[0,18446744073709551616]") + "}", 8), "whole number"));
  CHECK(says(refusal("{" + tensor("a", "[2]", "[-8,0]") + "}", 8), "whole number"));
  CHECK(says(refusal("{" + tensor("a", "[2]", "[0]") + "}", 8), "two numbers"));
  CHECK(says(refusal("{" + tensor("a", "[3]", "[0,8]") + "}", 8), "12 bytes by its shape"));
  CHECK(says(refusal("{" + tensor("a", "[2.0]", "[0,8]") + "}", 8), "whole number"));
  CHECK(says(refusal("{" + tensor("a", "[-2]", "[0,8]") + "}", 8), "whole number"));
  CHECK(says(refusal("{" + tensor("a", "[4611686018427387904,4]", "[0,0]") + "}", 0), "overflows"));
  CHECK(says(refusal("{" + tensor("a", "2", "[0,8]") + "}", 8), "dtype, shape and data_offsets"));
  CHECK(says(refusal(R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})", 8),
             "dtype of 'a'"));
  CHECK(says(refusal(R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", 8), "dtype of 'a'"));
  CHECK(says(refusal(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "dtype, shape and data_offsets"));
  CHECK(says(refusal(R"({"a":3})", 0), "dtype, shape and data_offsets"));
  CHECK(says(refusal(R"({"__metadata__":{"a":1}})", 0), "text to text"));
  CHECK(says(refusal(R"({"__metadata__":"a"})", 0), "text to text"));
}

TEST_CASE("every truncation of a file is refused", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1, 2, 3};
  write_safetensors(folder / "m.safetensors",
                    {{"w", DType::F32, {3}, w}, {"v", DType::F32, {2}, w}});
  const std::string whole = read_file(folder / "m.safetensors");
  CHECK(refusal(whole).empty());
  for (std::size_t n = 0; n < whole.size(); ++n) REQUIRE_FALSE(refusal(whole.substr(0, n)).empty());
}
