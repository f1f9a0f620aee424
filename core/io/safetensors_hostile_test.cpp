// Safetensors files that nobody vouches for: truncated, mutated at random, and independent readers.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/process_memory.h"
#include "core/base/sha256.h"
#include "core/io/safetensors.h"
#include "core/io/safetensors_header.h"
#include "core/io/small_floats.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

bool run_python(const TestFolder& folder, const std::string& script) {
  write_file_atomic(folder / "check.py", script);
  return std::system(("python3 '" + (folder / "check.py").string() + "'").c_str()) == 0;
}

std::string source_file(const std::string& path) {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  REQUIRE(root != nullptr);
  return std::string(root) + "/" + path;
}

// One to three changes: a byte set, bits flipped, bytes cut out, or a stretch put in once more.
std::string mutated(std::string text, std::mt19937& rng) {
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(rng);
  };
  static const std::string tokens = "0123456789{}[]\",:-.eEnulF";
  for (std::size_t changes = 1 + below(3); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size()),
                      length = 1 + below(std::min<std::size_t>(12, text.size() - at));
    switch (below(5)) {
      case 0:
        text[at] = tokens[below(tokens.size())];
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("headers mutated at random are refused or add up", "[io][safetensors]") {
  const std::string header =
      R"({"__metadata__":{"format":"pt","n":"2"},"w":{"dtype":"F32","shape":[2,3],)"
      R"("data_offsets":[0,24]},"codes":{"dtype":"U8","shape":[8],"data_offsets":[24,32]},)"
      R"("b":{"dtype":"BF16","shape":[],"data_offsets":[32,34]}})";
  constexpr std::uint64_t kData = 34;
  REQUIRE(parse_safetensors_header(header, kData, "x").tensors.size() == 3);
  std::mt19937 rng(7);
  int refused = 0, accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutated(header, rng);
    try {
      std::uint64_t end = 0;
      for (const PlacedTensor& p : parse_safetensors_header(text, kData, "x").tensors) {
        REQUIRE(p.begin == end);
        REQUIRE(p.end - p.begin == p.tensor.bytes());
        end = p.end;
      }
      REQUIRE(end == kData);
      ++accepted;
    } catch (const Error&) {  // and nothing else
      ++refused;
    }
  }
  CHECK(refused > 15000);
  CHECK(accepted > 100);  // names and metadata may change
}

TEST_CASE("files mutated at random are refused or can be read to the end", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1, 2, 3, 4};
  const std::uint8_t u[] = {1, 2, 3};
  write_safetensors(folder / "m.safetensors",
                    {{"w", DType::F32, {2, 2}, w}, {"u", DType::U8, {3}, u}}, {{"k", "v"}});
  const std::string whole = read_file(folder / "m.safetensors");
  std::mt19937 rng(8);
  int refused = 0;
  for (int i = 0; i < 1500; ++i) {
    std::ofstream(folder / "x.safetensors", std::ios::binary) << mutated(whole, rng);
    try {
      const SafetensorsFile file(folder / "x.safetensors");
      std::string bytes;
      for (const TensorBytes& t : file.tensors())
        bytes.append(static_cast<const char*>(t.data), t.bytes());
      REQUIRE(bytes.size() <= whole.size());
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("half precision is as NumPy and PyTorch have it", "[io][safetensors]") {
  const SafetensorsFile expected(source_file("tests/oracle/small_floats.safetensors"));
  const std::size_t n = expected.at("floats").size();
  REQUIRE(n > 1000);
  std::vector<float> x(n);
  expected.read("floats", x.data(), n);

  const TestFolder folder;
  write_safetensors(folder / "m.safetensors", {{"f16", DType::F16, {n}, x.data(), true},
                                               {"bf16", DType::BF16, {n}, x.data(), true},
                                               {"floats", DType::F32, {n}, x.data(), true}});
  const SafetensorsFile ours(folder / "m.safetensors");
  for (const char* name : {"f16", "bf16", "floats"}) {
    const TensorBytes &a = ours.at(name), &b = expected.at(name);
    REQUIRE(a.bytes() == b.bytes());
    CHECK(a.dtype == b.dtype);
    CHECK(std::memcmp(a.data, b.data, a.bytes()) == 0);
  }

  std::vector<float> all(65536);
  for (unsigned h = 0; h < 65536; ++h) all[h] = half_to_float(static_cast<std::uint16_t>(h));
  CHECK(sha256_hex({reinterpret_cast<const char*>(all.data()), all.size() * sizeof(float)}) ==
        expected.metadata().at("all_f16"));
}

TEST_CASE("every 16-bit number comes back from float", "[io][safetensors]") {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto h = static_cast<std::uint16_t>(bits);
    REQUIRE(float_to_half(half_to_float(h)) ==
            ((h & 0x7C00) == 0x7C00 && (h & 0x3FF) ? h | 0x200 : h));
    REQUIRE(float_to_bfloat(bfloat_to_float(h)) ==
            ((h & 0x7F80) == 0x7F80 && (h & 0x7F) ? h | 0x40 : h));
  }
}

TEST_CASE("floats are written as floating numbers only", "[io][safetensors]") {
  const TestFolder folder;
  const float w[] = {1};
  CHECK_THROWS_AS(write_safetensors(folder / "m.safetensors", {{"w", DType::U8, {1}, w, true}}),
                  Error);
  CHECK_FALSE(fs::exists(folder / "m.safetensors"));
}

TEST_CASE("what was read from a file does not stay in memory twice", "[io][safetensors]") {
  const TestFolder folder;
  constexpr std::size_t n = std::size_t{1} << 24;  // 64 MiB of floats
  std::vector<float> values(n, 1.0f);
  write_safetensors(folder / "m.safetensors", {{"w", DType::F32, {n}, values.data()}});
  const SafetensorsFile file(folder / "m.safetensors");
  const std::size_t before = resident_bytes();
  file.read("w", values.data(), n);  // into memory that is there already
  CHECK(resident_bytes() < before + (8 << 20));
  const auto* bytes = static_cast<const unsigned char*>(file.at("w").data);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < 4 * n; ++i) sum += bytes[i];
  CHECK(sum == n * (0x80 + 0x3F));
  CHECK(resident_bytes() > before + (48 << 20));  // so the measure does see mapped pages
  file.give_back(file.at("w"));
  CHECK(resident_bytes() < before + (8 << 20));
}

TEST_CASE("an independent program reads our file and we read its file",
          "[io][safetensors][python]") {
  if (std::system("python3 -c 'import struct, json' >/dev/null 2>&1") != 0) {
    WARN("SKIPPED: python3 is not installed, so nothing but our own code read the file");
    return;
  }
  const TestFolder folder;
  const float w[] = {0.5f, -1.25f, 3e38f, 1e-40f};
  const std::int64_t step[] = {1, -2};
  write_safetensors(folder / "ours.safetensors",
                    {{"a.w", DType::F32, {2, 2}, w}, {"n", DType::I64, {2}, step}},
                    {{"format", "pt"}, {"note", "\xc3\xa9 \"quoted\"\n"}});
  const std::string ours = (folder / "ours.safetensors").string();
  const std::string theirs = (folder / "theirs.safetensors").string();
  CHECK(run_python(folder, R"(
import json, struct
raw = open(')" + ours + R"(', 'rb').read()
n, = struct.unpack('<Q', raw[:8])
assert (8 + n) % 64 == 0, n
header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
assert header['__metadata__'] == {'format': 'pt', 'note': '\u00e9 "quoted"\n'}, header
assert list(header) == ['__metadata__', 'a.w', 'n'], header
a = header['a.w']
assert a['dtype'] == 'F32' and a['shape'] == [2, 2] and a['data_offsets'] == [0, 16], a
f32 = lambda x: struct.unpack('<f', struct.pack('<f', x))[0]
assert struct.unpack('<4f', data[:16]) == (0.5, -1.25, f32(3e38), f32(1e-40))
assert struct.unpack('<2q', data[16:]) == (1, -2) and len(data) == 32
head = json.dumps({'z': {'dtype': 'F32', 'shape': [2], 'data_offsets': [3, 11]},
                   'b': {'dtype': 'I8', 'shape': [3], 'data_offsets': [0, 3]}}).encode()
open(')" + theirs + R"(', 'wb').write(struct.pack('<Q', len(head)) + head + b'\x01\x02\xff'
                                      + struct.pack('<2f', 0.1, 7))
)"));
  const SafetensorsFile file(theirs);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "b");
  CHECK(static_cast<const std::int8_t*>(file.at("b").data)[2] == -1);
  float z[2];
  file.read("z", z, 2);
  CHECK(z[0] == 0.1f);
  CHECK(z[1] == 7.0f);
}
