// Encoders written for transformers: what comes back, and what PyTorch makes of it.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/encoder_files.h"
#include "experiments/model_test.h"
#include "experiments/toy_reviews.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_CASE("an exported encoder comes back with its logits, under transformers' names",
          "[encoder][export]") {
  const TestFolder folder;
  for (const bool bert : {true, false}) {
    const std::string kind = bert ? "bert" : "distilbert";
    const EncoderFamily family = bert ? EncoderFamily::Bert : EncoderFamily::DistilBert;
    save(folder / kind, bert ? bert_config() : distilbert_config(),
         tensors_of(small(bert, "classifier"), family));
    import_model({folder / kind, folder / (kind + "-run"), letters(folder, 24).string()});
    const std::vector<real> before = logits_of(folder / (kind + "-run"), {1, 5, 3});
    for (const ExportWeights weights : {ExportWeights::F32, ExportWeights::F16}) {
      const bool exact = weights == ExportWeights::F32;
      const fs::path out = folder / (kind + (exact ? "-f32" : "-f16"));
      const ExportResult result = export_hf(folder / (kind + "-run"), out, weights);
      CHECK(result.architecture ==
            (bert ? "BertForSequenceClassification" : "DistilBertForSequenceClassification"));
      CHECK(result.bytes == fs::file_size(out / "model.safetensors"));
      const SafetensorsFile file(out / "model.safetensors");
      for (const char* name :
           {"classifier.weight", bert ? "bert.pooler.dense.bias" : "pre_classifier.bias",
            bert ? "bert.encoder.layer.1.attention.self.query.weight"
                 : "distilbert.transformer.layer.1.attention.q_lin.weight",
            bert ? "bert.embeddings.LayerNorm.weight" : "distilbert.embeddings.LayerNorm.weight"})
        CHECK(file.at(name).dtype == (exact ? DType::F32 : DType::F16));
      const ForeignModel again = read_hf_encoder(out);
      CHECK(again.notes.empty());
      CHECK(again.labels.size() == (bert ? 0 : 2));
      const json config = json::parse(read_file(out / "config.json"));
      CHECK(config.at("id2label").at("1") == (bert ? "LABEL_1" : "POSITIVE"));
      CHECK(config.at("label2id").size() == 2);
      import_model({out, out.string() + "-run", letters(folder, 24).string()});
      const std::vector<real> after = logits_of(out.string() + "-run", {1, 5, 3});
      if (exact)
        CHECK(after == before);
      else
        CHECK(largest_difference(after, before) < 0.02);
    }
  }
}

TEST_CASE("a table of one type of tokens, and labels without names, are written as tables",
          "[encoder][export]") {
  const TestFolder folder;
  BertConfig config = small(true, "classifier");
  config.n_types = 1;
  config.labels = 3;
  json theirs = json::parse(bert_config());
  theirs["type_vocab_size"] = 1;
  save(folder / "source", theirs.dump(), tensors_of(config, EncoderFamily::Bert));
  import_model({folder / "source", folder / "run", letters(folder, 24).string()});
  export_hf(folder / "run", folder / "out", ExportWeights::F32);
  const SafetensorsFile file(folder / "out" / "model.safetensors");
  CHECK(file.at("bert.embeddings.token_type_embeddings.weight").shape ==
        std::vector<std::size_t>{1, 8});
  const json written = json::parse(read_file(folder / "out" / "config.json"));
  CHECK(written.at("id2label").size() == 3);
  CHECK(written.at("id2label").at("2") == "LABEL_2");
}

namespace {

// What PyTorch computes of an exported classifier; empty where there is no PyTorch.
std::vector<double> torch_logits(const fs::path& exported, const std::string& tokens) {
  const std::string command = "/usr/bin/python3 " +
                              source_path("tests/oracle/bert_oracle.py").string() + " --logits " +
                              exported.string() + " " + tokens;
  std::string said;
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char part[256];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) said.append(part, n);
  const int status = ::pclose(pipe);
  if (status != 0) WARN("not compared with PyTorch: " << said);
  return status == 0 ? json::parse(said).get<std::vector<double>>() : std::vector<double>();
}

}  // namespace

TEST_CASE("of ternary encoders those are exported that transformers compute", "[encoder][export]") {
  const TestFolder folder;
  const std::string quantised = replaced(toy_config(folder), "\"imdb-seed\"", "\"b158\"");
  for (const auto& [name, config] :
       {std::pair{"weights", toy_config(folder)}, {"quantised", quantised}})
    REQUIRE(wait_for(start_worker(make_run(folder, name, config), 1)) == 0);
  const fs::path run = folder / "weights", out = folder / "out";
  CHECK(export_hf(run, out, ExportWeights::F32).architecture == "BertForSequenceClassification");
  const SafetensorsFile file(out / "model.safetensors");
  const TensorBytes& w = file.at("bert.encoder.layer.0.intermediate.dense.weight");
  std::vector<float> values(w.size());
  file.read(w.name, values.data(), values.size());
  std::set<float> sizes;
  for (const float v : values) sizes.insert(std::fabs(v));
  CHECK(sizes.size() == 2);  // 0 and the scale
  CHECK(read_hf_encoder(out).labels == std::vector<std::string>{"negative", "positive"});
  import_model({out, folder / "back", ""});
  const LoadedRun back = load_run(folder / "back");
  CHECK(back.tokenizer->encode("the film") == load_run(run).tokenizer->encode("the film"));
  CHECK(largest_difference(logits_of(folder / "back", {2, 5, 8, 3}), logits_of(run, {2, 5, 8, 3})) <
        1e-5);
  if (const auto theirs = torch_logits(out, "2 5 8 3"); !theirs.empty())
    CHECK(largest_difference(theirs, logits_of(run, {2, 5, 8, 3})) < 1e-4);
  CHECK(says(error_of([&] { export_hf(folder / "quantised", folder / "o", ExportWeights::F32); }),
             "must be full or BitLinear of weights alone"));
  CHECK(says(error_of([&] { export_hf(run, folder / "o", ExportWeights::Packed); }),
             "must be f32, f16 or bf16"));
}

}  // namespace bitlab
