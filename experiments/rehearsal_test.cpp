// A rehearsal against the pass that it stands for.
#include "experiments/rehearsal.h"

#include <algorithm>
#include <map>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/simd/call_time.h"
#include "core/simd/profile.h"
#include "experiments/energy.h"
#include "experiments/footprint.h"
#include "experiments/model_plan.h"
#include "experiments/preset_test.h"
#include "layers/models/model.h"
#include "layers/params.h"

using namespace bitlab;

namespace {

constexpr std::size_t kVocab = 50;

LayerPtr build(const Spec& spec) { return models().at(spec.model_name).build(*spec.model, kVocab); }

// What a pass over `batch` sequences really does.
struct Reality {
  std::vector<Arena::Request> memory;
  std::map<std::string, std::uint64_t> calls;  // products together as "gemm"
};

Reality real_pass(const Spec& spec, std::size_t batch, Passes passes = Passes::Training) {
  const LanguageModel model(build(spec), kVocab, spec.seq_len(), 1);
  Gradients gradients(model.params().size());
  std::vector<std::int32_t> tokens(batch * spec.seq_len());
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<std::int32_t>(Rng(1, "t").below(kVocab, 0, i));
  Pass pass;
  pass.batch = batch;
  pass.seq_len = spec.seq_len();
  pass.tokens = tokens.data();
  pass.training = passes == Passes::Training;
  pass.gradients = &gradients;
  Reality reality;
  const simd::Kernels& plain = simd::kernels();
  simd::use_kernels(simd::profiled(plain));
  simd::reset_kernel_times();
  pass.arena.record(&reality.memory);
  if (pass.training)
    model.loss_and_gradients(pass, tokens.data(), 1);
  else
    model.logits(pass);
  pass.arena.record(nullptr);
  simd::use_kernels(plain);
  for (const simd::KernelTime& k : simd::kernel_times())
    reality.calls[k.name.substr(0, k.name.find(' '))] += k.calls;
  return reality;
}

const std::vector<std::string> kSmall = {"model.n_layer=3", "model.d_model=24", "model.seq_len=32"};

Spec small(const std::string& name, std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(), kSmall.begin(), kSmall.end());
  if (name != "baby-bitnet")
    for (const char* o : {"model.n_head=4", "model.d_ff=40", "model.vocab_size=50"})
      overrides.push_back(o);
  return preset(name, overrides);
}

const std::vector<std::pair<const char*, Spec>>& specs() {
  static const auto all = [] {
    std::vector<std::pair<const char*, Spec>> specs;
    specs.emplace_back("gpt", small("baby-bitnet", {"model.dropout=0.1"}));
    specs.emplace_back("llama", small("llama-700m"));
    specs.emplace_back("bitnet", small("bitnet-700m"));
    specs.emplace_back("recomputed", small("bitnet-700m", {"model.checkpoint=true"}));
    return specs;
  }();
  return all;
}

}  // namespace

TEST_CASE("a rehearsal asks for the memory and makes the calls of the pass", "[rehearsal]") {
  for (const auto& [name, spec] : specs())
    for (const auto& [batch, passes] :
         {std::pair{1, Passes::Training}, std::pair{2, Passes::Training},
          std::pair{5, Passes::Training}, std::pair{5, Passes::Forward}}) {
      CAPTURE(name, batch, passes == Passes::Forward);
      const LayerPtr net = build(spec);
      const auto sequences = static_cast<std::size_t>(batch);
      const Rehearsal rehearsal = rehearse(*net, kVocab, sequences, spec.seq_len(), passes);
      const Reality reality = real_pass(spec, sequences, passes);
      REQUIRE(rehearsal.memory.size() == reality.memory.size());
      for (std::size_t i = 0; i < rehearsal.memory.size(); ++i) {
        CHECK(rehearsal.memory[i].bytes == reality.memory[i].bytes);
        CHECK(rehearsal.memory[i].live == reality.memory[i].live);
      }
      std::map<std::string, std::uint64_t> calls;
      for (const simd::KernelCall& call : rehearsal.calls)
        calls[call.kernel == "ternary_gemm" ? "ternary_gemm" : call.kernel] += call.times;
      CHECK(calls == reality.calls);
    }
}

TEST_CASE("the peak of a rehearsal is what is alive at once", "[rehearsal]") {
  Rehearsal r;
  CHECK(r.peak_bytes() == 0);
  r.memory = {{100, 0}, {50, 1}, {30, 2}, {7, 1}, {200, 2}, {1, 0}};
  CHECK(r.peak_bytes() == 100 + 7 + 200);
}

TEST_CASE("recomputed blocks take less memory and one more forward", "[rehearsal]") {
  const Spec plain = small("bitnet-700m", {"model.n_layer=12"}),
             recomputed = small("bitnet-700m", {"model.n_layer=12", "model.checkpoint=true"});
  const auto time = [](const simd::KernelCall&) { return 1e-6; };
  const ModelPlan a = plan_model(plain, &recomputed, kVocab, {}, 1, time),
                  b = plan_model(recomputed, &plain, kVocab, {}, 1, time);
  CHECK(a.size.activation_bytes == b.activation_bytes_other);
  CHECK(b.size.activation_bytes == a.activation_bytes_other);
  CHECK(b.size.activation_bytes < a.size.activation_bytes / 3);
  CHECK(a.train_flops == b.train_flops);
  // Of 3 passes over the blocks' products, a fourth; the head's stay.
  const double head = 2.0 * 24 * kVocab;
  const double blocks = (a.computed_train_flops - 3 * head) / 3;
  CHECK(b.computed_train_flops == Approx(4 * blocks + 3 * head));
}

TEST_CASE("steps in which quantisation fades in are planned as what they are", "[rehearsal]") {
  const auto kinds_with = [](const std::string& warmup, Footprint& size) {
    std::vector<StepKind> kinds;
    size = footprint(
        small("bitnet-700m", {"train.steps=100", "model.bitlinear.lambda_warmup_steps=" + warmup}),
        kVocab, {}, &kinds);
    return kinds;
  };
  const auto integers = [](const StepKind& kind) {
    return std::count_if(kind.pass.calls.begin(), kind.pass.calls.end(), [](const auto& call) {
      return call.kernel == "ternary_gemm" && call.times > 0;
    });
  };
  Footprint at_once, some, all;
  const std::vector<StepKind> one = kinds_with("0", at_once), two = kinds_with("30", some),
                              fading = kinds_with("100", all);
  REQUIRE(one.size() == 1);
  REQUIRE(two.size() == 2);
  REQUIRE(fading.size() == 1);
  CHECK(one[0].share == 1);
  CHECK(two[0].share == Approx(0.3));
  CHECK(two[1].share == Approx(0.7));
  CHECK(integers(one[0]) > 0);
  CHECK(integers(two[0]) == 0);
  CHECK(integers(two[1]) == integers(one[0]));
  CHECK(integers(fading[0]) == 0);
  CHECK(at_once.activation_bytes < all.activation_bytes);  // floats are kept for backward
  CHECK(some.activation_bytes == all.activation_bytes);
}

TEST_CASE("nothing is left of a rehearsal in the net, and kernels compute again", "[rehearsal]") {
  const Spec spec = small("bitnet-700m");
  const LayerPtr net = build(spec);
  rehearse(*net, kVocab, 2, spec.seq_len());
  net->visit_params("", [](const std::string&, Param& p) { CHECK(p.value.data == nullptr); });
  real x[] = {1, 2}, y[] = {10, 20};
  simd::kernels().add(2, x, y);
  CHECK(y[1] == 22);
}

TEST_CASE("parts of a model add up, whatever is tied", "[footprint]") {
  const LayerPtr net = build(preset("bitnet-700m", {"model.vocab_size=32000"}));
  const ParamParts parts = count_parts(*net);
  CHECK(parts.embedding == 32000 * 1536);
  CHECK(parts.attention == 24 * 4 * 1536 * 1536);
  CHECK(parts.ffn == 24 * 3 * 1536 * 4096);
  CHECK(parts.norms == 210432);
  CHECK((parts.head == 0 && parts.other == 0));
  CHECK(parts.total() == 728629248 + 210432);
  CHECK(parts.non_embedding() == parts.total() - parts.embedding);
  const ParamParts gpt = count_parts(*build(preset("baby")));
  CHECK(gpt.head == kVocab * 64 + kVocab);  // with its bias
  CHECK(gpt.embedding == (kVocab + 32) * 64);
}

TEST_CASE("energy follows the published model", "[energy]") {
  const OperationEnergy& e = kOperationEnergy[1];
  CHECK(std::string(e.process) == "7 nm");
  // The paper's 71.4: a multiply-add of 16-bit floats over an addition of 8-bit integers.
  CHECK((e.add_fp16 + e.mul_fp16) / e.add_int8 == Approx(71.43).epsilon(1e-3));
  const WeightShape huge{1 << 20, 1 << 20, true};
  CHECK(product_energy(huge, 512, e, true) / product_energy(huge, 512, e, false) ==
        Approx(71.43).epsilon(2e-3));
  // By hand, for 2 tokens, 3 inputs, 4 outputs.
  CHECK(product_energy({3, 4, false}, 2, e, false) == Approx(2 * 2 * 4 * 0.16 + 2 * 3 * 4 * 0.34));
  CHECK(product_energy({3, 4, true}, 2, e, false) ==
        Approx(2 * 2 * 4 * 0.007 + (2 * 4 + 2 * 3) * 0.34));
  CHECK(product_energy({3, 4, true}, 2, e, true) == product_energy({3, 4, false}, 2, e, false));
}

TEST_CASE("energy counts every matrix that a token meets, a tied head too", "[energy]") {
  for (const char* name : {"bitnet-700m", "llama-700m", "baby"}) {
    CAPTURE(name);
    const LayerPtr net = build(name == std::string("baby")
                                   ? preset(name)
                                   : preset(name, {"model.vocab_size=32000", "model.n_layer=2"}));
    double macs = 0;
    for (const WeightShape& w : weight_shapes(*net)) macs += double(w.in) * double(w.out);
    CHECK(macs == net->macs_per_row(0));
    const TokenEnergy e = token_energy(*net, 0)[1];
    CHECK(e.joules_full == Approx(0.5e-12 * macs).epsilon(1e-2));
    if (name[0] == 'b' && name[1] == 'i') {
      CHECK(e.ternary_joules_full / e.ternary_joules > 68);
      CHECK(e.ternary_joules_full / e.ternary_joules < 71.43);
    } else {
      CHECK(e.joules == e.joules_full);
      CHECK(e.ternary_joules == 0);
    }
    // With a context, attention's products: 2 T d_model multiply-adds a layer.
    const TokenEnergy longer = token_energy(*net, 100)[1];
    CHECK(longer.joules - e.joules ==
          Approx(0.5e-12 * (net->macs_per_row(100) - net->macs_per_row(0))));
  }
}

TEST_CASE("kernel calls of every kind can be timed", "[step_time]") {
  for (const auto& [name, spec] : specs()) {
    const LayerPtr net = build(spec);
    for (const simd::KernelCall& call : rehearse(*net, kVocab, 2, spec.seq_len()).calls) {
      INFO(name << ", " << call.kernel);
      const double seconds = simd::call_seconds(call);
      CHECK(seconds > 0);
      CHECK(seconds < 1);
    }
  }
}

TEST_CASE("large calls are timed at a smaller size, by their work", "[step_time]") {
  const auto seconds = [](const char* kernel, const std::vector<std::size_t>& sizes) {
    return simd::call_seconds({kernel, sizes});
  };
  // Nothing here would end within the test if it were done as it is.
  const std::size_t huge = std::size_t{1} << 24;
  CHECK(seconds("gemm", {huge, huge, huge, 0, 1, 0}) > 1e6);
  CHECK(seconds("ternary_gemm", {huge, huge, huge}) > 1e5);
  CHECK(seconds("attention_forward", {huge, 256, 16, 4, 64, 64, 0, 1, 0}) > 1e3);
  CHECK(seconds("swiglu_forward", {huge, huge}) > 1e3);
  CHECK(seconds("rope", {huge, 64, 16, 64, 1024, 64, 0}) > 1);
  CHECK(seconds("adamw", {huge * huge}) > 1e3);
  CHECK(simd::call_flops({"gemm", {3, 4, 5, 0, 0, 0}}) == 120);
  CHECK(simd::call_flops({"add", {3}}) == 0);
}
