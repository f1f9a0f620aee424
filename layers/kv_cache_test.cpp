// Decoding with a cache: the same bits as a pass over the whole sequence.
#include "layers/kv_cache.h"

#include <cstring>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "layers/examples.h"
#include "layers/model_test.h"

using namespace bitlab;

namespace {

constexpr size_t kVocab = 31, kLength = 150, kBatch = 2;  // more than one block of keys

LanguageModel make(LayerPtr net) { return {std::move(net), kVocab, kLength, 1}; }

LayerPtr gpt(const std::string& linear) {
  GptConfig config = small_gpt(linear);
  config.seq_len = kLength;
  config.norm = "layernorm";
  return build_gpt(config, kVocab);
}

LayerPtr family(
    const std::string& linear,
    const std::function<void(BitnetConfig&)>& change = [](BitnetConfig&) {}) {
  BitnetConfig config = small_bitnet(linear);
  config.d_model = 32;
  config.d_ff = 40;
  config.seq_len = kLength;
  config.init_std = 0.2;
  change(config);
  return build_bitnet(config, kVocab);
}

std::vector<LayerPtr> nets() {
  std::vector<LayerPtr> all;
  for (const char* linear : {"full", "bitlinear"}) {
    all.push_back(gpt(linear));
    all.push_back(family(linear));
    all.push_back(family(linear, [](BitnetConfig& c) {
      c.n_kv_head = 1;
      c.d_head = 10;
      c.ffn = "relu2_glu";
      c.sub_norm = true;
      c.checkpoint = true;
      c.share_inputs = false;
    }));
  }
  return all;
}

// Logits of the sequences, a pass for each chunk of positions.
std::vector<real> in_chunks(const LanguageModel& model,
                            const std::vector<std::int32_t>& tokens,
                            const std::vector<size_t>& chunks,
                            KvCache* cache,
                            bool last_only = false) {
  const size_t length = tokens.size() / kBatch, rows = last_only ? chunks.size() : length;
  std::vector<real> all(kBatch * rows * kVocab);
  Pass pass;
  pass.batch = kBatch;
  pass.cache = cache;
  pass.last_only = last_only;
  size_t first = 0, row = 0;
  for (const size_t count : chunks) {
    std::vector<std::int32_t> part;
    for (size_t b = 0; b < kBatch; ++b)
      part.insert(part.end(), &tokens[b * length + first], &tokens[b * length + first] + count);
    pass.seq_len = count;
    pass.tokens = part.data();
    const View z = model.logits(pass);
    const size_t each = z.rows / kBatch;
    for (size_t b = 0; b < kBatch; ++b)
      std::copy_n(z.row(b * each), each * kVocab, &all[(b * rows + row) * kVocab]);
    first += count;
    row += each;
  }
  return all;
}

std::vector<real> whole(const LanguageModel& model, const std::vector<std::int32_t>& tokens) {
  return in_chunks(model, tokens, {tokens.size() / kBatch}, nullptr);
}

bool same_bits(const std::vector<real>& a, const std::vector<real>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("a cache gives the logits of the whole sequence bit by bit, in any chunks",
          "[layers][cache]") {
  const auto tokens = random_tokens(kBatch * kLength, kVocab);
  for (LayerPtr& net : nets()) {
    const LanguageModel model = make(std::move(net));
    INFO(model.net().describe());
    const std::vector<real> want = whole(model, tokens);
    for (const std::vector<size_t>& chunks : std::vector<std::vector<size_t>>{
             {kLength}, {64, 64, 22}, {1, 100, 49}, {37, 1, 1, 111}, std::vector<size_t>(150, 1)}) {
      KvCache cache(model.net(), kBatch, kLength);
      REQUIRE(same_bits(in_chunks(model, tokens, chunks, &cache), want));
      REQUIRE(cache.length() == kLength);
    }
  }
}

TEST_CASE("logits of last positions are rows of all logits", "[layers][cache]") {
  const auto tokens = random_tokens(kBatch * kLength, kVocab);
  for (LayerPtr& net : nets()) {
    const LanguageModel model = make(std::move(net));
    const std::vector<real> all = whole(model, tokens);
    KvCache cache(model.net(), kBatch, kLength);
    const std::vector<real> last = in_chunks(model, tokens, {100, 50}, &cache, true);
    for (size_t b = 0; b < kBatch; ++b)
      for (const size_t i : {0, 1})
        CHECK(std::memcmp(&last[(b * 2 + i) * kVocab],
                          &all[(b * kLength + (i ? 149 : 99)) * kVocab],
                          kVocab * sizeof(real)) == 0);
  }
}

TEST_CASE("a truncated cache goes on from where it was", "[layers][cache]") {
  const LanguageModel model = make(family("bitlinear"));
  const auto tokens = random_tokens(kBatch * kLength, kVocab);
  KvCache cache(model.net(), kBatch, kLength);
  in_chunks(model, random_tokens(kBatch * 90, kVocab), {90}, &cache);
  cache.truncate(0);
  CHECK(same_bits(in_chunks(model, tokens, {140, 10}, &cache), whole(model, tokens)));
  cache.truncate(140);
  CHECK(cache.length() == 140);
  CHECK_THROWS_AS(cache.truncate(141), Error);
}

TEST_CASE("a cache takes what its heads take, and no more memory from token to token",
          "[layers][cache]") {
  const LanguageModel model = make(family("full", [](BitnetConfig& c) { c.d_head = 16; }));
  KvCache cache(model.net(), 1, kLength);
  CHECK(cache.bytes_per_token() == 2 * 2 * 2 * 16 * sizeof(real));  // layers, k and v, heads
  CHECK(cache.bytes() == 160 * cache.bytes_per_token());            // rows in whole tiles
  const LanguageModel narrow = make(family("full", [](BitnetConfig& c) { c.d_head = 10; }));
  CHECK(KvCache(narrow.net(), 1, 8).bytes_per_token() == cache.bytes_per_token());  // padded

  Pass pass;
  pass.batch = pass.seq_len = 1;
  pass.cache = &cache;
  const auto tokens = random_tokens(kLength, kVocab);
  size_t held = 0;
  for (size_t t = 0; t < kLength; ++t) {
    pass.tokens = &tokens[t];
    model.logits(pass);
    if (t == 0) held = pass.arena.capacity();
  }
  CHECK(pass.arena.capacity() == held);
}

TEST_CASE("a cache refuses what it has no room for and what it is not made for",
          "[layers][cache][errors]") {
  const LanguageModel model = make(family("full")), other = make(family("full"));
  KvCache cache(model.net(), 1, 10);
  const auto tokens = random_tokens(2 * kLength, kVocab);
  Pass pass;
  pass.batch = 1;
  pass.tokens = tokens.data();
  pass.cache = &cache;
  const auto refusal = [&](const LanguageModel& m, size_t seq_len) -> std::string {
    pass.seq_len = seq_len;
    try {
      m.logits(pass);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal(model, 8).empty());
  CHECK(refusal(model, 3) == "[cache] must have room for 11 positions, but has 10");
  CHECK(refusal(model, 2).empty());
  cache.truncate(0);
  CHECK(refusal(other, 1) ==
        "[cache] must have been made for this model, but was made for another");
  pass.batch = 2;
  CHECK(refusal(model, 1) == "[cache] must be for 2 sequences at once, but is for 1");
  pass.batch = 1;
  pass.training = true;
  CHECK(refusal(model, 1) == "[cache] must not be given to a training pass");
  KvCache longer(model.net(), 1, 2 * kLength);
  pass.training = false;
  pass.cache = &longer;
  CHECK(refusal(model, kLength + 1) ==
        "[rope] a sequence must have at most 150 positions, but has 151");
}
