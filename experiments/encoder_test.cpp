// Encoders of Hugging Face: found, read, refused, and what they compute.
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/io/safetensors.h"
#include "core/text/tokenizer_test.h"
#include "experiments/dataset.h"
#include "experiments/encoder_files.h"
#include "experiments/hf_encoder.h"
#include "experiments/model_test.h"
#include "experiments/pretrained.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// As TensorFlow's checkpoints were converted once.
std::string old_name(std::string name) {
  for (const auto& [now, before] :
       {std::pair("LayerNorm.weight", "LayerNorm.gamma"), {"LayerNorm.bias", "LayerNorm.beta"}})
    if (const std::size_t at = name.find(now); at != std::string::npos)
      name.replace(at, 16, before);
  return name;
}

}  // namespace

TEST_CASE("encoders are found under every prefix and name, in every dtype", "[encoder]") {
  const TestFolder folder;
  for (const bool bert : {true, false}) {
    const EncoderFamily family = bert ? EncoderFamily::Bert : EncoderFamily::DistilBert;
    const std::string config = bert ? bert_config() : distilbert_config();
    const auto tensors = tensors_of(small(bert, "classifier"), family);
    save(folder / "plain", config, tensors);
    const ForeignModel plain = read_hf_encoder(folder / "plain");
    CHECK(plain.model == "bert");
    CHECK(plain.format == (bert ? "BertModel" : "DistilBertForSequenceClassification"));
    CHECK(plain.labels ==
          (bert ? std::vector<std::string>{} : std::vector<std::string>{"NEGATIVE", "POSITIVE"}));
    CHECK(plain.notes.empty());
    CHECK(plain.tensors.size() == tensors.size());
    const auto& read = dynamic_cast<const BertConfig&>(*plain.config);
    CHECK(read.head == "classifier");
    CHECK(read.n_types == (bert ? 2 : 0));
    CHECK(read.pooler == (bert ? "tanh" : "relu"));
    CHECK(read.head_dropout == (bert ? 0.1 : 0.2));
    CHECK(read.norm_eps == 1e-12);

    auto renamed = tensors;
    for (Named& t : renamed) {
      t.name = old_name(t.name);
      const bool of_head = t.name.starts_with("classifier") || t.name.starts_with("pre_class");
      if (!of_head) t.name = (bert ? "bert." : "distilbert.") + t.name;
    }
    save(folder / "renamed", config, renamed);
    const ForeignModel found = read_hf_encoder(folder / "renamed");
    REQUIRE(found.tensors.size() == plain.tensors.size());
    for (std::size_t i = 0; i < found.tensors.size(); ++i) {
      CHECK(found.tensors[i].name == plain.tensors[i].name);
      CHECK(std::memcmp(found.tensors[i].data, plain.tensors[i].data, plain.tensors[i].bytes()) ==
            0);
    }
    for (const DType dtype : {DType::F16, DType::BF16}) {
      save(folder / "short", config, tensors, dtype);
      CHECK(read_hf_encoder(folder / "short").tensors.front().dtype == dtype);
    }
  }
}

TEST_CASE("the head is what the weights have, and surplus tensors are told", "[encoder]") {
  const TestFolder folder;
  auto tensors = tensors_of(small(true, "none"), EncoderFamily::Bert);
  save(folder / "none", bert_config(), tensors);
  CHECK(dynamic_cast<const BertConfig&>(*read_hf_encoder(folder / "none").config).head == "none");

  tensors = tensors_of(small(true, "pooler"), EncoderFamily::Bert);
  tensors.push_back({"cls.predictions.bias", {24}, std::vector<float>(24)});  // of pre-training
  tensors.push_back({"embeddings.position_ids", {16}, std::vector<float>(16)});
  tensors.push_back({"adapter.weight", {2}, {1, 2}});
  save(folder / "pooler", bert_config(), tensors);
  const ForeignModel model = read_hf_encoder(folder / "pooler");
  CHECK(dynamic_cast<const BertConfig&>(*model.config).head == "pooler");
  REQUIRE(model.notes.size() == 1);
  CHECK(says(model.notes[0], "adapter.weight"));
}

TEST_CASE("heads that do not classify texts are not taken for one that does", "[encoder]") {
  const TestFolder folder;
  const auto tensors = tensors_of(small(true, "classifier"), EncoderFamily::Bert);
  const auto head_of = [&](const json& config, const std::vector<Named>& of, const char* why) {
    save(folder / "some", config.dump(), of);
    const ForeignModel model = read_hf_encoder(folder / "some");
    std::string notes;
    for (const std::string& note : model.notes) notes += note + "\n";
    INFO(notes);
    CHECK(says(notes, why));
    CHECK(notes.empty() == std::string(why).empty());
    return dynamic_cast<const BertConfig&>(*model.config).head;
  };
  json config = json::parse(bert_config());
  // Of what the training began with, or none.
  for (const char* usual : {"BertForSequenceClassification", "BertForMaskedLM", "BertModel"}) {
    config["architectures"] = {usual};
    CHECK(head_of(config, tensors, "") == "classifier");
  }
  config["problem_type"] = "single_label_classification";
  CHECK(head_of(config, tensors, "") == "classifier");
  config["problem_type"] = "multi_label_classification";
  CHECK(head_of(config, tensors, "multi_label_classification") == "pooler");
  config.erase("problem_type");
  config["architectures"] = {"BertForTokenClassification"};  // some have a pooler none the less
  CHECK(head_of(config, tensors, "BertForTokenClassification") == "pooler");
  auto regression = tensors;
  for (Named& t : regression)
    if (t.name.starts_with("classifier")) {
      t.shape[0] = 1;
      t.values.resize(t.shape.size() == 1 ? 1 : t.shape[1]);
    }
  CHECK(head_of(json::parse(bert_config()), regression, "one output") == "pooler");
}

TEST_CASE("tokenizers of cased encoders are refused, whatever file says so", "[encoder][import]") {
  const TestFolder folder;
  const fs::path source = folder / "source";
  save(source, bert_config(), tensors_of(small(true, "pooler"), EncoderFamily::Bert));
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = 'a'; c < 'a' + 19; ++c) vocabulary += std::string(1, c) + "\n";
  write_file_atomic(source / "vocab.txt", vocabulary);
  const auto refusal = [&] {
    return error_of([&] { import_model({source, folder / "run", ""}); });
  };
  write_file_atomic(source / "tokenizer_config.json", R"({"do_lower_case": false})");
  CHECK(says(refusal(), "do_lower_case must not be false"));
  write_file_atomic(source / "tokenizer_config.json", R"({"strip_accents": false})");
  CHECK(says(refusal(), "strip_accents must not be false"));
  // vocab.txt does not stand in for a tokenizer.json that is refused.
  write_file_atomic(source / "tokenizer_config.json", R"({"do_lower_case": true})");
  write_file_atomic(source / "tokenizer.json", R"({"model": {"type": "Unigram"}})");
  CHECK(says(refusal(), "tokenizer.json: "));
  // Nor does a tokenizer.json stand against what transformers read first.
  fs::copy_file(mirror_file("tokenizers/bert-uncased/tokenizer.json"), source / "tokenizer.json",
                fs::copy_options::overwrite_existing);
  write_file_atomic(source / "tokenizer_config.json", R"({"do_lower_case": false})");
  CHECK(says(refusal(), "do_lower_case must not be false"));
  fs::remove(source / "tokenizer.json");
  write_file_atomic(source / "tokenizer_config.json", R"({"do_lower_case": true})");
  CHECK(refusal().empty());
}

TEST_CASE("the head of a masked language model is found, and taken where it is asked for",
          "[encoder]") {
  CHECK(encoder_name("head.dense.weight", EncoderFamily::Bert) ==
        "cls.predictions.transform.dense.weight");
  CHECK(encoder_name("head.norm.bias", EncoderFamily::Bert) ==
        "cls.predictions.transform.LayerNorm.bias");
  CHECK(encoder_name("head.bias", EncoderFamily::Bert) == "cls.predictions.bias");
  CHECK(encoder_name("head.dense.bias", EncoderFamily::DistilBert) == "vocab_transform.bias");
  CHECK(encoder_name("head.norm.weight", EncoderFamily::DistilBert) == "vocab_layer_norm.weight");
  CHECK(encoder_name("head.bias", EncoderFamily::DistilBert) == "vocab_projector.bias");
  const TestFolder folder;
  const auto head_of = [](const ForeignModel& model) {
    return dynamic_cast<const BertConfig&>(*model.config).head;
  };
  for (const bool bert : {true, false}) {
    const EncoderFamily family = bert ? EncoderFamily::Bert : EncoderFamily::DistilBert;
    const std::string config = bert ? bert_config() : distilbert_config();
    auto tensors = tensors_of(small(bert, "masked-lm"), family);
    REQUIRE(tensors[0].name == "embeddings.word_embeddings.weight");
    Named decoder = tensors[0];  // tied, it comes along
    decoder.name = bert ? "cls.predictions.decoder.weight" : "vocab_projector.weight";
    tensors.push_back(decoder);
    save(folder / "masked", config, tensors);
    const ForeignModel masked = read_hf_encoder(folder / "masked");
    CHECK(head_of(masked) == "masked-lm");
    CHECK(masked.notes.empty());
    CHECK(masked.tensors.size() == tensors.size() - 1);

    // Both heads: the pooler, unless the other is asked for.
    for (Named& t : tensors_of(small(bert, "pooler"), family))
      if (t.name.find("pooler") != std::string::npos || t.name.starts_with("pre_classifier"))
        tensors.push_back(std::move(t));
    save(folder / "both", config, tensors);
    CHECK(head_of(read_hf_encoder(folder / "both")) == "pooler");
    CHECK(head_of(read_hf_encoder(folder / "both", "masked-lm")) == "masked-lm");

    // Taken by a model that has it, left by one that has not.
    BertConfig wanted = small(bert, "masked-lm");
    wanted.vocab_size = 24;
    wanted.norm_eps = 1e-12;
    wanted.pooler = bert ? "tanh" : "relu";
    LanguageModel model(build_bert(wanted, 24), 24, 16, 3);
    CHECK(load_pretrained((folder / "both").string(), wanted, model).empty());
    save(folder / "none", config, tensors_of(small(bert, "none"), family));
    CHECK(load_pretrained((folder / "none").string(), wanted, model) ==
          std::vector<std::string>{"head.dense.weight", "head.dense.bias", "head.norm.weight",
                                   "head.norm.bias", "head.bias"});
    wanted.head = "classifier";
    LanguageModel classifier(build_bert(wanted, 24), 2, 16, 3);
    CHECK(load_pretrained((folder / "both").string(), wanted, classifier) ==
          std::vector<std::string>{"classifier.weight", "classifier.bias"});
  }
}

TEST_CASE("encoders that are missing something, or are shaped otherwise, are refused",
          "[encoder][errors]") {
  const TestFolder folder;
  auto tensors = tensors_of(small(true, "classifier"), EncoderFamily::Bert);
  const auto refusal = [&](const std::string& config, const std::vector<Named>& of) {
    save(folder / "bad", config, of);
    return error_of([&] { read_hf_encoder(folder / "bad"); });
  };
  auto broken = tensors;
  broken.erase(broken.begin() + 3);
  broken[0].shape = {12, 16};
  const std::string message = refusal(bert_config(), broken);
  CHECK(says(message, "missing: embeddings.LayerNorm.weight"));
  CHECK(says(message, "embeddings.word_embeddings.weight must be [24, 8], but is [12, 16]"));
  broken = tensors;
  broken[5].values[0] = NAN;
  CHECK(says(refusal(bert_config(), broken), "not finite: encoder.layer.0"));

  json config = json::parse(bert_config());
  config["hidden_act"] = "gelu_new";
  config["position_embedding_type"] = "relative_key";
  config["num_attention_heads"] = 3;
  const std::string keys = refusal(config.dump(), tensors);
  CHECK(says(keys, "hidden_act must be gelu (with erf) or relu, but is \"gelu_new\""));
  CHECK(says(keys, "position_embedding_type must be absolute"));
  CHECK(says(keys, "num_attention_heads must be a divisor"));
  config = json::parse(bert_config());
  config.erase("hidden_size");
  config["model_type"] = "bert";
  CHECK(says(refusal(config.dump(), tensors), "hidden_size is missing"));
  config = json::parse(bert_config());
  config["hidden_dropout_prob"] = 1.5;
  CHECK(says(refusal(config.dump(), tensors), "hidden_dropout_prob must be from 0 to 0.99"));
  const std::string deep =
      R"({"hidden_act": )" + std::string(200000, '[') + std::string(200000, ']');
  CHECK(says(refusal(deep + "}", tensors), "nested deeper"));
  config = json::parse(bert_config());
  config["something_new"] = 3;
  save(folder / "new", config.dump(), tensors);
  CHECK(says(read_hf_encoder(folder / "new").notes.at(0), "something_new"));
}

TEST_CASE("an imported encoder is a run with the logits of its weights", "[encoder][import]") {
  const TestFolder folder;
  const auto tensors = tensors_of(small(false, "classifier"), EncoderFamily::DistilBert);
  save(folder / "source", distilbert_config(), tensors);
  const ImportResult result =
      import_model({folder / "source", folder / "run", letters(folder, 24).string()});
  CHECK(result.format == "DistilBertForSequenceClassification");
  CHECK(result.ternary_params == 0);
  const LoadedRun run = load_run(folder / "run");
  CHECK(run.spec.model_name == "bert");
  CHECK(run.model->vocab_size() == 2);
  CHECK(run.labels == std::vector<std::string>{"NEGATIVE", "POSITIVE"});
  CHECK(logits(*run.model, {1, 5, 3}).size() == 2);
  CHECK(says(error_of([&] { require_language_model(run, "generate"); }), "whole texts"));
  CHECK(says(error_of([&] {
               import_model({folder / "source", folder / "other", letters(folder, 25).string()});
             }),
             "must have no more tokens than the model"));
}

TEST_CASE("MiniLM's vectors are those that PyTorch computes", "[encoder][oracle]") {
  const fs::path weights = mirror_file("bert/all-MiniLM-L6-v2-fp16/model.fp16.safetensors");
  if (weights.empty()) return;
  const TestFolder folder;
  import_model({weights.parent_path(), folder / "run", ""});
  LoadedRun run = load_run(folder / "run");
  auto& config = dynamic_cast<BertConfig&>(*run.spec.model);
  CHECK(run.model->params().size() == 22713216);
  config.head = "none";
  LanguageModel hidden = build_empty_model(run.spec, run.tokenizer->vocab_size());
  std::map<std::string, const Param*> params;
  for (const Param* p : run.model->params().params()) params[p->name] = p;
  for (const Param* p : hidden.params().params())
    std::copy_n(params.at(p->name)->value.data, p->size(), p->value.data);
  hidden.prepare(0);
  const json expected = json::parse(read_file(source_path("tests/oracle/bert.json")));
  for (const json& text : expected.at("texts")) {
    const auto tokens = text.at("tokens").get<std::vector<std::int32_t>>();
    const std::vector<real> x = logits(hidden, tokens), pooled = logits(*run.model, tokens);
    const std::size_t C = 384;
    REQUIRE(x.size() == tokens.size() * C);
    REQUIRE(pooled.size() == C);
    std::vector<double> mean(C);
    double cls_norm = 0, mean_norm = 0;
    for (std::size_t i = 0; i < x.size(); ++i) mean[i % C] += double(x[i]) / double(tokens.size());
    for (std::size_t i = 0; i < C; ++i) cls_norm += double(x[i]) * double(x[i]);
    for (const double m : mean) mean_norm += m * m;
    CHECK(std::sqrt(cls_norm) == Approx(text.at("cls_norm").get<double>()).margin(1e-4));
    CHECK(std::sqrt(mean_norm) == Approx(text.at("mean_norm").get<double>()).margin(1e-4));
    for (std::size_t i = 0; i < text.at("cls").size(); ++i) {
      CHECK(x[i] == Approx(text["cls"][i].get<double>()).margin(1e-4));
      CHECK(mean[i] == Approx(text["mean"][i].get<double>()).margin(1e-4));
      CHECK(pooled[i] == Approx(text["pooled"][i].get<double>()).margin(1e-4));
    }
  }
}

}  // namespace bitlab
