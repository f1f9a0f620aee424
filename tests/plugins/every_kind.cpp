// A plugin with an entry of every kind, as small as they can be. Tests only.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "experiments/language_task.h"
#include "experiments/plugin.h"
#include "layers/containers.h"
#include "layers/embedding.h"

using namespace bitlab;

namespace {

struct LionConfig : Configurable {
  double beta = 0.99;
  void fields(FieldVisitor& v) override {
    v.field("beta", beta, {.help = "decay of the momentum", .min = 0, .max = 1});
  }
};

// Lion without interpolation: w -= lr sign(m), m = beta m + (1 - beta) g.
class Lion : public Optimizer {
 public:
  Lion(const OptimConfig& config, ParamStore& params)
      : beta_(dynamic_cast<const LionConfig&>(*config.settings).beta),
        params_(params),
        m_(make_zeros(params.size())) {}

  void step(
      View g, double grad_scale, const StepSettings& now, std::int64_t, ThreadTeam&) override {
    const View w = params_.values();
    for (size_t i = 0; i < w.size(); ++i) {
      m_.data()[i] = static_cast<real>(beta_ * m_.data()[i] + (1 - beta_) * grad_scale * g.data[i]);
      w.data[i] -=
          static_cast<real>(now.lr) * static_cast<real>((m_.data()[i] > 0) - (m_.data()[i] < 0));
    }
  }
  std::vector<State> state() override { return {{"lion.m", view(m_)}}; }

 private:
  double beta_;
  ParamStore& params_;
  Tensor<1> m_;
};

struct LettersConfig : Configurable {
  std::int64_t count = 20000;
  void fields(FieldVisitor& v) override {
    v.field("count", count, {.help = "letters in all", .min = 100});
  }
};

std::string letters(const Configurable& config) {
  std::string text;
  for (std::int64_t i = 0; i < dynamic_cast<const LettersConfig&>(config).count; ++i)
    text += static_cast<char>('a' + (i * i / 7 + i) % 11);
  return text;
}

// A token a byte.
class Bytes : public Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> tokens;
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  std::string decode(std::span<const std::int32_t> tokens) const override {
    std::string text;
    for (const std::int32_t token : tokens) text += static_cast<char>(token);
    return text;
  }
  std::size_t vocab_size() const override { return 256; }
  std::string unit() const override { return "byte"; }
  std::string id() const override { return "bytes"; }
  std::string to_json() const override { return R"({"type": "bytes"})"; }
};

// Writes steps.txt in the run's folder.
class Steps : public TrainObserver {
 public:
  explicit Steps(const std::filesystem::path& dir) : out_(dir / "steps.txt", std::ios::app) {}
  void on_train(const TrainRow& row, const TrainSpeed&) override { out_ << row.step << std::endl; }

 private:
  std::ofstream out_;
};

// As the language task, with the token itself as the target: easy.
class Echo : public Task {
 public:
  explicit Echo(const TaskContext& context) : context_(context) {}

  BatchSource train_batches() const override {
    return sequences(
        context_.seq_len,
        [batches = RandomBatches(context_.data.train, context_.seq_len, context_.seed, "echo")](
            std::uint64_t step, std::size_t first, std::size_t count, std::int32_t* tokens,
            std::int32_t* targets) {
          batches.fill(step, first, count, tokens, targets);
          std::copy_n(tokens, count * 16, targets);
        });
  }
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const override {
    if (split == Split::Train) return {};
    const Windows windows(context_.data.val, context_.seq_len);
    return evaluate_sequences(
        model,
        [&](std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets) {
          windows.fill(first, count, tokens, targets);
          std::copy_n(tokens, count * context_.seq_len, targets);
        },
        windows.count(), context_.seq_len, team);
  }

 private:
  TaskContext context_;
};

struct ThresholdConfig : Configurable {
  double threshold = 0.5;
  void fields(FieldVisitor& v) override {
    v.field("threshold", threshold, {.help = "share of the largest weight that is 0", .min = 0});
  }
};

// 0 below a share of the largest weight, which is the scale.
auto by_threshold(double threshold) {
  return [threshold](View w, double eps, std::int8_t* codes) {
    real top = static_cast<real>(eps);
    for (size_t i = 0; i < w.size(); ++i) top = std::max(top, std::fabs(w.data[i]));
    const real limit = static_cast<real>(threshold) * top;
    for (size_t i = 0; i < w.size(); ++i)
      codes[i] = static_cast<std::int8_t>((w.data[i] > limit) - (w.data[i] < -limit));
    return top;
  };
}

struct BigramConfig : Configurable {
  std::int64_t width = 8;
  std::int64_t seq_len = 16;
  std::string norm = "none_at_all";
  void fields(FieldVisitor& v) override {
    v.field("width", width, {.help = "width", .min = 1});
    v.field("seq_len", seq_len, {.help = "positions", .min = 1});
    v.field("norm", norm, {.help = "norm", .choices = norm_layers().names(), .registry = "norm"});
  }
};

LayerPtr build_bigram(const Configurable& settings, size_t vocab_size) {
  const auto& config = dynamic_cast<const BigramConfig&>(settings);
  const auto width = static_cast<size_t>(config.width);
  const Init init{Init::Kind::Normal, 0.1};
  auto net = std::make_unique<Sequential>();
  net->add("embedding", std::make_unique<Embedding>(vocab_size, static_cast<size_t>(config.seq_len),
                                                    width, init));
  net->add("norm", norm_layers().at(config.norm).make(width, 1e-5, NoSettings{}));
  net->add(
      "", std::make_unique<Linear>(LinearShape{"head", width, {{"head", vocab_size}}, true, init}));
  return net;
}

}  // namespace

BITLAB_PLUGIN("every-kind", 3) {
  host.add_model("bigram", {.version = 2,
                            .description = "a table of pairs",
                            .make_config = [] { return std::make_unique<BigramConfig>(); },
                            .build = build_bigram,
                            .seq_len =
                                [](const Configurable& config) {
                                  return static_cast<size_t>(
                                      dynamic_cast<const BigramConfig&>(config).seq_len);
                                }});
  host.add_linear_layer("plain", {.description = "as full",
                                  .make = [](const LinearShape& shape, const Configurable&) {
                                    return std::make_unique<Linear>(shape);
                                  }});
  host.add_norm("none_at_all",
                {.description = "x", .make = [](size_t, double, const Configurable&) {
                   return std::make_unique<Sequential>();
                 }});
  host.add_weight_quantizer(
      "threshold",
      {.description = "scale = max |w|",
       .make_config = [] { return std::make_unique<ThresholdConfig>(); },
       .configure =
           [](const Configurable& config) {
             return by_threshold(dynamic_cast<const ThresholdConfig&>(config).threshold);
           }});
  host.add_optimizer(
      "lion", {.description = "sign of the momentum",
               .make_config = [] { return std::make_unique<LionConfig>(); },
               .make = [](const OptimConfig& config,
                          ParamStore& params) { return std::make_unique<Lion>(config, params); }});
  host.add_schedule("root", {.description = "lr / root of the step",
                             .lr = [](const ScheduleConfig&, const ScheduleMoment& now) {
                               return now.lr / std::sqrt(static_cast<double>(now.step + 1));
                             }});
  Source source;
  source.name = "letters";
  source.description = "letters by a formula";
  source.make_config = [] { return std::make_unique<LettersConfig>(); };
  source.generate_with = letters;
  host.add_data_source(source);
  host.add_tokenizer(
      "bytes",
      {.description = "a token a byte",
       .make = [](const TokenizerTexts&, const Configurable&) { return std::make_unique<Bytes>(); },
       .from_json = [](std::string_view) { return std::make_unique<Bytes>(); }});
  host.add_task("echo",
                {.description = "the token itself",
                 .make = [](const TaskContext& context, const EvalConfig&, const Configurable&) {
                   return std::make_unique<Echo>(context);
                 }});
  host.add_observer("steps", {.description = "steps.txt",
                              .make = [](const ObserverContext& context, const Configurable&) {
                                return std::make_unique<Steps>(context.run_dir);
                              }});
}
