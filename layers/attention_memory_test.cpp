// Attention of every kind takes memory that grows with the length of a sequence, not with its
// square.
#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/ops/attention.h"
#include "layers/examples.h"
#include "layers/params.h"

using namespace bitlab;

namespace {

constexpr size_t kWidth = 32, kHeads = 2, kHead = 16;

// A block of the family with this kind of attention, almost without a feed-forward part.
LayerPtr block(const std::string& attention, size_t seq_len) {
  BitnetConfig c = small_bitnet("full");
  c.n_layer = 1;
  c.n_head = kHeads;
  c.n_kv_head = 0;
  c.d_model = kWidth;
  c.d_ff = 1;
  c.seq_len = static_cast<std::int64_t>(seq_len);
  set_attention(c, attention);
  return build_bitnet(c, 2);
}

// All that a training pass asks the arena for, and what attention needs of its own.
size_t training_bytes(const std::string& attention, size_t seq_len) {
  const LayerPtr net = block(attention, seq_len);
  ParamStore store(*net);
  store.initialise(1);
  Gradients gradients(store.size());
  const std::vector<std::int32_t> tokens(seq_len, 1);
  std::vector<Arena::Request> requests;
  Pass pass;
  pass.batch = 1;
  pass.seq_len = seq_len;
  pass.tokens = tokens.data();
  pass.training = true;
  pass.gradients = &gradients;
  pass.arena.record(&requests);
  const View z = net->forward({}, pass);
  net->backward(z, pass);
  size_t bytes = 0;
  for (const Arena::Request& request : requests) bytes += request.bytes;

  simd::AttentionArgs args;
  args.batch = 1;
  args.seq_len = seq_len;
  args.n_head = args.n_kv_head = kHeads;
  args.d_head = args.d_value = 2 * kHead;
  return bytes + simd::kernels().attention_scratch(args) * sizeof(real);
}

}  // namespace

TEST_CASE("memory of attention, forward and backward, grows linearly from 256 to 4096 positions",
          "[layers][attention]") {
  for (const char* attention : {"standard", "latent_scores", "mla"}) {
    CAPTURE(attention);
    size_t before = training_bytes(attention, 256);
    for (size_t seq_len = 512; seq_len <= 4096; seq_len *= 2) {
      CAPTURE(seq_len);
      const size_t bytes = training_bytes(attention, seq_len);
      CHECK(bytes <= 2 * before);
      before = bytes;
    }
    CHECK(before < 4096 * 4096 * sizeof(real) / 2);  // half of one matrix of scores
  }
}
