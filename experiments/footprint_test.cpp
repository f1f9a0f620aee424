// What a plan says of memory and time, against training steps.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/base/catch.h"
#include "core/base/clock.h"
#include "core/base/process_memory.h"
#include "core/base/rng.h"
#include "core/simd/call_time.h"
#include "experiments/dataset.h"
#include "experiments/preset_test.h"
#include "experiments/step_time.h"
#include "experiments/update_step.h"

using namespace bitlab;

namespace {

constexpr std::size_t kVocab = 2000;

// Random tokens as data.
class NoiseTask : public Task {
 public:
  BatchSource train_batches() const override {
    return sequences(seq_len_, [rng = Rng(1, "tokens"), seq_len = seq_len_](
                                   std::uint64_t step, std::size_t first, std::size_t count,
                                   std::int32_t* tokens, std::int32_t* targets) {
      for (std::size_t i = 0; i < count * seq_len; ++i)
        tokens[i] = targets[i] =
            static_cast<std::int32_t>(rng.below(kVocab, step, first * seq_len + i));
    });
  }
  Evaluation evaluate(const LanguageModel&, Split, ThreadTeam&) const override { return {}; }

  explicit NoiseTask(std::size_t seq_len) : seq_len_(seq_len) {}

 private:
  std::size_t seq_len_;
};

// Trains for some steps; the processor seconds of each but the first.
std::vector<double> train(const Spec& spec, std::int64_t steps) {
  LanguageModel model = build_model(spec, kVocab, 1);
  const NoiseTask task(spec.seq_len());
  ThreadTeam team(1);
  UpdateStep update({spec.optim, spec.schedule, spec.train, 1}, model, task, team);
  std::vector<double> seconds;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double begin = process_cpu_seconds();
    update.run(step);
    if (step > 0) seconds.push_back(process_cpu_seconds() - begin);
  }
  return seconds;
}

// Peak of a process of its own, as the system counts it.
std::size_t measured_peak(const Spec& spec) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    train(spec, 3);
    ::_exit(0);
  }
  int status = 0;
  struct rusage usage {};
  REQUIRE(::wait4(pid, &status, 0, &usage) == pid);
  REQUIRE(status == 0);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

struct Case {
  std::string name, preset;
  std::vector<std::string> overrides;
};

const std::vector<Case> kCases = {
    {"1M",
     "bitnet-700m",
     {"model.n_layer=4", "model.n_head=4", "model.d_model=128", "model.d_ff=384",
      "model.seq_len=128", "model.vocab_size=2000", "train.batch_size=16", "optim.clip=1"}},
    {"10M",
     "llama-700m",
     {"model.n_layer=6", "model.n_head=6", "model.d_model=384", "model.d_ff=1024",
      "model.seq_len=256", "model.vocab_size=2000", "train.batch_size=4"}},
    {"10M, fading in",
     "bitnet-700m",
     {"model.n_layer=6", "model.n_head=6", "model.d_model=384", "model.d_ff=1024",
      "model.seq_len=256", "model.vocab_size=2000", "train.batch_size=4",
      "model.bitlinear.lambda_warmup_steps=1000000"}},
    {"30M",
     "bitnet-700m",
     {"model.n_layer=8", "model.n_head=8", "model.d_model=512", "model.d_ff=1536",
      "model.seq_len=256", "model.vocab_size=2000", "train.batch_size=1", "train.accumulate=2"}},
};

}  // namespace

TEST_CASE("memory of training is as planned, within a tenth", "[footprint]") {
  for (const Case& c : kCases) {
    std::size_t activations = 0;  // kept
    for (const char* checkpoint : {"false", "true"}) {
      std::vector<std::string> overrides = c.overrides;
      overrides.push_back(std::string("model.checkpoint=") + checkpoint);
      const Spec spec = preset(c.preset, overrides);
      const std::size_t before = resident_bytes();
      const Footprint f = footprint(spec, kVocab);
      const std::size_t planned = before + f.training_bytes, measured = measured_peak(spec);
      INFO(c.name << ", checkpoint " << checkpoint << ": planned " << planned << " ("
                  << f.training_bytes << " of training), measured " << measured);
      CHECK(double(planned) == Approx(double(measured)).epsilon(0.1));
      if (activations > 0) CHECK(f.activation_bytes < activations / 2);
      activations = f.activation_bytes;
    }
  }
}

// Both count the processor's time, not the clock's. A machine that others use still disturbs it, by
// its caches and its memory: one quiet moment in a few is enough.
TEST_CASE("time of a step is as planned, within a tenth", "[footprint][time]") {
  for (const Case& c : kCases) {
    const Spec spec = preset(c.preset, c.overrides);
    std::vector<StepKind> kinds;
    const Footprint size = footprint(spec, kVocab, {}, &kinds);
    double planned = 0, measured = 1;
    for (int attempt = 0; attempt < 5 && std::fabs(planned / measured - 1) > 0.1; ++attempt) {
      std::vector<double> seconds = train(spec, 6);
      std::sort(seconds.begin(), seconds.end());
      measured = seconds[seconds.size() / 2];
      planned = step_time(spec, size, kinds, 1, remember(simd::call_seconds)).total();
    }
    INFO(c.name << ": planned " << planned << " s, measured " << measured << " s");
    CHECK(planned == Approx(measured).epsilon(0.1));
  }
}
