#include "experiments/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/safetensors.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// Of trainer.json, the newest that is known; without the key 1. A version that only knows 1 would
// leave out an evaluation that is due, so only then it is 2.
constexpr int kTrainerFormat = 2;

std::vector<std::size_t> shape_of(const Param& p) {
  return p.rows == 1 ? std::vector<std::size_t>{p.cols} : std::vector<std::size_t>{p.rows, p.cols};
}

std::vector<TensorBytes> optimizer_tensors(Optimizer& optimizer, const TernaryCodes& codes) {
  std::vector<TensorBytes> tensors;
  for (const auto& [name, values] : optimizer.state())
    tensors.push_back({name, DType::F32, {values.size()}, values.data});
  for (const auto& [name, values] : codes)
    tensors.push_back({"codes." + name, DType::I8, {values.size()}, values.data()});
  return tensors;
}

// Reads the file back and compares it with memory: a checkpoint counts only if it can be opened.
void verify(const fs::path& path, const std::vector<TensorBytes>& tensors) {
  const SafetensorsFile file(path);
  for (const TensorBytes& expected : tensors) {
    const TensorBytes& found = file.at(expected.name);
    if (found.bytes() != expected.bytes() ||
        std::memcmp(found.data, expected.data, expected.bytes()) != 0)
      throw Error(path.string(),
                  "tensor '" + expected.name + "' must read back as it was written, but differs",
                  "is the disk sound?");
  }
}

json to_json(const TrainerState& s) {
  json j = {{"format", s.evaluation_due ? kTrainerFormat : 1},
            {"step", s.step},
            {"first_loss", s.first_loss},
            {"loss_sum", s.loss_sum},
            {"loss_count", s.loss_count},
            {"train_seconds", s.train_seconds},
            {"tokens", s.tokens}};
  if (s.evaluation_due) j["evaluation_due"] = true;
  return j;
}

TrainerState read_state(const fs::path& path) {
  try {
    const json j = json::parse(read_file(path));
    const int format = j.value("format", 1);
    if (format > kTrainerFormat)
      throw Obstacle(path.string(),
                     "must be of format " + std::to_string(kTrainerFormat) +
                         " or older, but a newer bitlab wrote it (format " +
                         std::to_string(format) + ")",
                     "use that version, or a newer one");
    return {j.at("step"),
            j.at("first_loss"),
            j.at("loss_sum"),
            j.at("loss_count"),
            j.at("train_seconds"),
            j.value("tokens", std::int64_t{0}),
            j.value("evaluation_due", false)};
  } catch (const json::exception& e) {
    throw Error(path.string(), std::string("must be a trainer's state, but: ") + e.what());
  }
}

}  // namespace

std::vector<TensorBytes> model_tensors(const LanguageModel& model, DType dtype) {
  std::vector<TensorBytes> tensors;
  for (const Param* p : model.params().params())
    tensors.push_back({p->name, dtype, shape_of(*p), p->value.data, /*from_floats=*/true});
  return tensors;
}

fs::path save_checkpoint(const fs::path& run_dir,
                         LanguageModel& model,
                         Optimizer& optimizer,
                         const TrainerState& state,
                         const TernaryCodes& codes,
                         const std::string& config_json) {
  char name[32];
  std::snprintf(name, sizeof name, "step_%08lld", static_cast<long long>(state.step));
  const fs::path dir = run_dir / "ckpt" / name;
  fs::remove(dir / "DONE");  // if it is written a second time, it does not count meanwhile
  fs::create_directories(dir);

  const auto weights = model_tensors(model, DType::F32);
  const auto moments = optimizer_tensors(optimizer, codes);
  write_safetensors(dir / "model.safetensors", weights, {{"format", "bitlab"}});
  write_safetensors(dir / "optimizer.safetensors", moments, {{"format", "bitlab"}});
  write_trainer_state(dir, state);
  write_file_atomic(dir / "config.json", config_json);
  verify(dir / "model.safetensors", weights);
  verify(dir / "optimizer.safetensors", moments);
  write_file_atomic(dir / "DONE", "");
  return dir;
}

// The state first: with the codes alone a second evaluation would count no flips.
void save_evaluated(const fs::path& checkpoint,
                    Optimizer& optimizer,
                    const TrainerState& state,
                    const TernaryCodes& codes) {
  write_trainer_state(checkpoint, state);
  write_safetensors(checkpoint / "optimizer.safetensors", optimizer_tensors(optimizer, codes),
                    {{"format", "bitlab"}});
}

void write_trainer_state(const fs::path& checkpoint, const TrainerState& state) {
  write_file_atomic(checkpoint / "trainer.json", to_json(state).dump(2) + "\n");
}

std::vector<fs::path> list_checkpoints(const fs::path& run_dir) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run_dir / "ckpt", none))
    if (fs::exists(entry.path() / "DONE")) found.push_back(entry.path());
  // By step; names have 8 digits or more.
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const std::size_t n = a.native().size(), m = b.native().size();
    return n != m ? n < m : a < b;
  });
  return found;
}

void prune_checkpoints(const fs::path& run_dir, std::size_t keep) {
  const std::vector<fs::path> complete = list_checkpoints(run_dir);
  const std::size_t drop = complete.size() > keep ? complete.size() - keep : 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run_dir / "ckpt", none)) {
    const auto at = std::find(complete.begin(), complete.end(), entry.path());
    const bool spare =
        at != complete.end() && static_cast<std::size_t>(at - complete.begin()) >= drop;
    if (!spare) fs::remove_all(entry.path());
  }
}

void load_model(const fs::path& checkpoint, LanguageModel& model, Tables tables) {
  const fs::path path = checkpoint / "model.safetensors";
  const SafetensorsFile file(path);
  std::string problems;
  for (const Param* p : model.params().params()) {
    if (!file.contains(p->name))
      problems += "\n  missing: " + p->name;
    else if (file.at(p->name).shape != shape_of(*p))
      problems += "\n  other shape: " + p->name;
  }
  if (file.tensors().size() > model.params().params().size() && problems.empty())
    problems = "\n  more tensors than the model has parameters";
  if (!problems.empty())
    throw Error(path.string(), "tensors must be those of the model, but:" + problems);
  model.params().expect_all();
  for (const Param* p : model.params().params()) read_param(file, *p, model, tables);
}

TrainerState load_checkpoint(const fs::path& checkpoint,
                             LanguageModel& model,
                             Optimizer& optimizer,
                             TernaryCodes& codes) {
  const TrainerState state = read_state(checkpoint / "trainer.json");
  load_model(checkpoint, model);
  const SafetensorsFile file(checkpoint / "optimizer.safetensors");
  for (const auto& [name, values] : optimizer.state()) file.read(name, values.data, values.size());
  codes.clear();
  for (const TensorBytes& tensor : file.tensors())
    if (tensor.name.rfind("codes.", 0) == 0 && tensor.dtype == DType::I8) {
      const auto* data = static_cast<const std::int8_t*>(tensor.data);
      codes[tensor.name.substr(6)].assign(data, data + tensor.size());
    }
  model.prepare(static_cast<std::uint64_t>(state.step));
  return state;
}

TernaryCodes current_codes(const LanguageModel& model) {
  TernaryCodes codes;
  model.visit_ternary(
      [&](const TernaryStats& t) { codes[t.name].assign(t.codes, t.codes + t.size()); });
  return codes;
}

}  // namespace bitlab
