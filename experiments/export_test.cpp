// Models as Hugging Face's transformers save them, written and read back.
#include <cstdlib>
#include <deque>
#include <nlohmann/json.hpp>

#include "core/io/safetensors.h"
#include "core/text/tokenizer_test.h"
#include "experiments/dataset.h"
#include "experiments/export_model.h"
#include "experiments/export_run.h"
#include "experiments/generate.h"
#include "experiments/model_test.h"
#include "experiments/packed_model.h"
#include "experiments/preset_test.h"
#include "experiments/run_folder.h"
#include "experiments/verify.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

const std::vector<std::int32_t> kTokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};

const char* const kTernary = R"(
linear = "bitlinear"
[model.bitlinear]
)";

std::vector<std::int32_t> greedy(const LanguageModel& model) {
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = 40;
  std::vector<std::int32_t> made;
  generate(model, {1}, options, [&](std::int32_t token) {
    made.push_back(token);
    return true;
  });
  return made;
}

// Exports, imports, and returns the run that comes back.
LoadedRun round_trip(const fs::path& run, const fs::path& folder, ExportWeights weights) {
  export_hf(run, folder, weights);
  import_model({folder, folder.string() + "-run", {}});
  return load_run(folder.string() + "-run");
}

// Sets the scales of an exported packed model to their reciprocals, and says so.
void to_dividing_scales(const fs::path& from, const fs::path& to) {
  fs::copy(from, to);
  auto config = nlohmann::json::parse(read_file(to / "config.json"));
  config["quantization_config"] = {{"quant_method", "bitnet"}};
  write_file_atomic(to / "config.json", config.dump());
  const SafetensorsFile file(from / "model.safetensors");
  std::deque<float> scales;
  std::vector<TensorBytes> tensors = file.tensors();
  for (TensorBytes& tensor : tensors) {
    if (!tensor.name.ends_with("_scale")) continue;
    scales.push_back(0);
    file.read(tensor.name, &scales.back(), 1);
    scales.back() = 1 / scales.back();
    tensor.data = &scales.back();
  }
  write_safetensors(to / "model.safetensors", tensors);
}

}  // namespace

TEST_CASE("stories260K comes back from its export with the same bits", "[export]") {
  const fs::path model = mirror_file("stories260K/stories260K.bin");
  if (model.empty()) return;
  const TestFolder folder;
  import_model({model, folder / "run", {}});
  const auto before = logits_of(folder / "run", kTokens);
  const LoadedRun after = round_trip(folder / "run", folder / "f32", ExportWeights::F32);
  CHECK(logits(*after.model, kTokens) == before);
  CHECK(after.begin_tokens == std::vector<std::int32_t>{1});
  CHECK(after.end_tokens == std::vector<std::int32_t>{1, 2});
  CHECK(fs::exists(folder / "f32" / "tokenizer.json"));  // that transformers read as well
  const std::string text = "Once upon a time, there was \u00e9 <s> of Lily's  cats.\n\nThe end";
  CHECK(after.tokenizer->encode(text) == load_run(folder / "run").tokenizer->encode(text));
  const LoadedRun rounded = round_trip(folder / "run", folder / "bf16", ExportWeights::BF16);
  const auto coarse = logits(*rounded.model, kTokens);
  CHECK(coarse != before);
  CHECK(largest_difference(coarse, before) < 0.5);
  CHECK(says(error_of([&] { export_hf(folder / "run", folder / "p", ExportWeights::Packed); }),
             "must be ternary"));
}

TEST_CASE("a ternary model comes back from each form of its export", "[export]") {
  const TestFolder folder;
  // With the norms of 2B4T, with those inside of BitLinear, and without sub-norms.
  const std::vector<std::pair<std::string, std::string>> models = {
      {"BitNetForCausalLM", std::string("sub_norm = true\n") + kTernary + "norm = \"none\"\n"},
      {"BitNetForCausalLM", std::string("block_norm = false\nffn = \"relu2_glu\"\n") + kTernary +
                                "norm = \"rmsnorm\"\nnorm_eps = 1e-5\n"},
      {"LlamaForCausalLM",
       std::string("tie_embeddings = false\n") + kTernary + "norm = \"none\"\n"}};
  for (std::size_t i = 0; i < models.size(); ++i) {
    INFO(models[i].second);
    const std::string name = "model" + std::to_string(i);
    const fs::path run = train_small_bitnet(folder, name, models[i].second);
    const auto before = logits_of(run, kTokens);
    const auto text = greedy(*load_run(run).model);
    const ExportResult result = export_hf(run, folder / (name + "f32"), ExportWeights::F32);
    CHECK(result.architecture == models[i].first);
    const LoadedRun masters = round_trip(run, folder / (name + "-f32"), ExportWeights::F32);
    CHECK(logits(*masters.model, kTokens) == before);
    CHECK_FALSE(masters.packed);

    const fs::path packed = folder / (name + "-packed");
    const LoadedRun codes = round_trip(run, packed, ExportWeights::Packed);
    CHECK(codes.packed);
    CHECK(logits(*codes.model, kTokens) == before);  // integers are exact, scales are stored whole
    CHECK(greedy(*codes.model) == text);
    CHECK(fs::file_size(packed / "model.safetensors") <
          fs::file_size(folder / (name + "f32") / "model.safetensors"));

    const fs::path dividing = folder / (name + "-dividing");
    to_dividing_scales(packed, dividing);
    import_model({dividing, dividing.string() + "-run", {}});
    CHECK(largest_difference(logits_of(dividing.string() + "-run", kTokens), before) < 1e-4);

    // And once more from what was imported.
    const LoadedRun again =
        round_trip(packed.string() + "-run", folder / (name + "-again"), ExportWeights::Packed);
    CHECK(logits(*again.model, kTokens) == before);
    CHECK(read_file(folder / (name + "-again") / "model.safetensors") ==
          read_file(packed / "model.safetensors"));
    CHECK(says(
        error_of([&] { export_hf(packed.string() + "-run", folder / "no", ExportWeights::F32); }),
        "was imported packed"));
  }
}

TEST_CASE("a run for use has the model in the form that is asked for, and no optimiser",
          "[export]") {
  const TestFolder folder;
  const fs::path run = train_small_bitnet(
      folder, "model", std::string("tie_embeddings = false\n") + kTernary + "norm = \"none\"\n");
  const auto before = logits_of(run, kTokens);
  std::uintmax_t smallest = 0;
  for (const ExportWeights weights : {ExportWeights::F32, ExportWeights::BF16, ExportWeights::F16,
                                      ExportWeights::Packed, ExportWeights::PackedF16}) {
    const bool exact = weights == ExportWeights::F32 || weights == ExportWeights::Packed;
    const fs::path out = folder / ("out" + std::to_string(static_cast<int>(weights)));
    const std::uintmax_t bytes = export_run(run, out, weights);
    if (weights == ExportWeights::F32 || bytes < smallest) smallest = bytes;
    const LoadedRun used = load_run(out, LoadWeights::Checkpoint, Tables::AsStored);
    CHECK(fs::file_size(used.weights) == bytes);
    CHECK_FALSE(fs::exists(used.checkpoint / "optimizer.safetensors"));
    CHECK(RunFolder(out).done());
    CHECK(RunFolder(out).status().val_loss == RunFolder(run).status().val_loss);
    CHECK(read_file(out / "config.toml") == read_file(run / "config.toml"));
    CHECK(logits(*used.model, kTokens) == logits_of(out, kTokens));  // tables held or widened
    if (exact)
      CHECK(logits(*used.model, kTokens) == before);
    else
      CHECK(largest_difference(logits(*used.model, kTokens), before) < 0.2);
    const bool packed = weights == ExportWeights::Packed || weights == ExportWeights::PackedF16;
    CHECK(used.packed == packed);
    CHECK(fs::exists(out / "packed.safetensors") == packed);
    if (packed) {
      CHECK(verify_run(out, 1).passed());
      CHECK(says(error_of([&] { export_run(out, folder / "no", ExportWeights::F32); }),
                 "has codes alone"));
    } else {
      CHECK(says(error_of([&] { verify_run(out, 1); }), "--weights packed has them"));
    }
    CHECK(says(error_of([&] { export_run(run, out, weights); }), "must not exist yet"));
    if (weights == ExportWeights::PackedF16) CHECK(bytes == smallest);
  }
  fs::remove(run / "DONE");
  CHECK(says(error_of([&] { export_run(run, folder / "no", ExportWeights::F32); }),
             "must be a finished run"));
  CHECK_FALSE(fs::exists(folder / "no"));
}

TEST_CASE("weights that are ternary in place come back from the packed file", "[export]") {
  const TestFolder folder;
  const Spec spec = preset("baby", {"model.linear=in_place_ternary"});
  const LanguageModel model = build_model(spec, 24, 1);
  write_packed(folder / "packed.safetensors", model);
  LanguageModel again = build_empty_model(spec, 24);
  load_packed(folder / "packed.safetensors", again, 0);
  CHECK(logits(again, kTokens) == logits(model, kTokens));
}

TEST_CASE("packed weights stand for a model whose quantisation has faded in", "[export]") {
  const TestFolder folder;
  const fs::path run = train_small_bitnet(
      folder, "model", std::string(kTernary) + "norm = \"none\"\nlambda_warmup_steps = 13\n");
  export_run(run, folder / "latent", ExportWeights::F32);
  for (const ExportWeights weights : {ExportWeights::Packed, ExportWeights::PackedF16})
    CHECK(says(error_of([&] { export_run(run, folder / "no", weights); }),
               "must have faded in, but the checkpoint is of step 12 of 13"));
  CHECK_FALSE(fs::exists(folder / "no"));
}

TEST_CASE("an independent program unpacks an export", "[export][python]") {
  // Debian's has NumPy where another comes first in the PATH.
  std::string python;
  for (const char* some : {"/usr/bin/python3", "python3"})
    if (python.empty() &&
        std::system((std::string(some) + " -c 'import numpy' >/dev/null 2>&1").c_str()) == 0)
      python = some;
  if (python.empty()) {
    WARN("SKIPPED: python3-numpy is not installed, so nothing but our own code read the file");
    return;
  }
  const TestFolder folder;
  const fs::path run = train_small_bitnet(
      folder, "run", std::string("sub_norm = true\n") + kTernary + "norm = \"none\"\n");
  export_hf(run, folder / "masters", ExportWeights::F32);
  export_hf(run, folder / "packed", ExportWeights::Packed);
  write_file_atomic(folder / "check.py", R"(
import json, struct, sys
import numpy as np
def load(path):
    raw = open(path, 'rb').read()
    n, = struct.unpack('<Q', raw[:8])
    header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
    header.pop('__metadata__')
    found = {}
    for name, info in header.items():
        dtype = {'F32': np.float32, 'U8': np.uint8}[info['dtype']]
        begin, end = info['data_offsets']
        found[name] = np.frombuffer(data[begin:end], dtype).reshape(info['shape'])
    return found
root = sys.argv[1]
masters, packed = (load(f'{root}/{part}/model.safetensors') for part in ('masters', 'packed'))
config = json.load(open(root + '/packed/config.json'))['quantization_config']
assert config == {'quant_method': 'bitnet', 'linear_class': 'autobitlinear',
                  'quantization_mode': 'offline'}, config
ternary = 0
for name, w in masters.items():
    if packed[name].dtype != np.uint8:
        assert np.array_equal(packed[name], w), name
        continue
    ternary += 1
    mean = np.abs(w.astype(np.float64)).mean()
    codes = np.clip(np.round(w / mean), -1, 1)
    R = w.shape[0] // 4
    p = packed[name]
    assert p.shape == (R, w.shape[1]), name
    for i in range(4):  # row block i, not every fourth row
        found = ((p >> (2 * i)) & 3).astype(int) - 1
        assert np.array_equal(found, codes[i * R:(i + 1) * R]), (name, i)
    scale = packed[name + '_scale']
    assert scale.shape == (1,) and abs(scale[0] - mean) < 1e-6 * mean, name
assert ternary == 14, ternary
)");
  const std::string script = (folder / "check.py").string(), root = folder.path().string();
  CHECK(std::system((python + " '" + script + "' '" + root + "'").c_str()) == 0);
}

TEST_CASE("what transformers do not have is named", "[export]") {
  const auto refused = [](const std::string& settings) {
    const TestFolder folder;
    const fs::path run = train_small_bitnet(folder, "run", settings);
    const std::string message =
        error_of([&] { export_hf(run, folder / "hf", ExportWeights::F32); });
    CHECK_FALSE(fs::exists(folder / "hf"));
    return message;
  };
  const std::string message = refused(std::string("ffn = \"gelu\"\nnorm = \"layernorm_nobias\"\n") +
                                      kTernary + "weight_quant = \"absmedian\"\n");
  CHECK(says(message, "model.ffn must be swiglu or relu2_glu"));
  CHECK(says(message, "model.norm must be rmsnorm"));
  CHECK(says(message, "model.bitlinear.weight_quant must be absmean"));
  CHECK(says(message, "block_norm and sub_norm must be false"));

  const TestFolder folder;
  const fs::path gpt = make_run(folder, "gpt", small_config());
  REQUIRE(wait_for(start_worker(gpt, 1)) == 0);
  CHECK(says(error_of([&] { export_hf(gpt, folder / "hf", ExportWeights::F32); }),
             "must be of the family 'bitnet'"));
  CHECK(says(error_of([&] { export_hf(gpt, folder.path(), ExportWeights::F32); }),
             "must not exist yet"));
}

}  // namespace bitlab
