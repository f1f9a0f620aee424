#pragma once
// Where a model's parameters come from before the first step, if not from random numbers.
#include <filesystem>
#include <string>
#include <vector>

#include "core/io/remote_file.h"
#include "experiments/hf_encoder.h"
#include "experiments/spec.h"
#include "layers/models/model.h"

namespace bitlab {

// A published checkpoint that has a name here.
struct NamedCheckpoint {
  std::string name;  // "minilm"
  std::string description, licence;
  EncoderFamily family = EncoderFamily::Bert;
  std::vector<RemoteFile> weights;  // each of them enough: the first that is here, else the first
};

// minilm, distilbert, bert-tiny.
const std::vector<NamedCheckpoint>& named_checkpoints();

// What `model.pretrained` names: one of named_checkpoints(), a folder of transformers, or the
// folder of a run. Files are fetched.
struct Pretrained {
  std::string name;
  std::string sha256;                          // of the weights
  std::vector<std::filesystem::path> weights;  // their file, or its shards
  std::vector<std::string> notes;              // what the user has to be told
};

// What a spec's model begins with; empty if that is random weights.
std::string pretrained_name(const Spec& spec);

// Throws UsageError if there is no such thing, Error if it cannot be had.
Pretrained find_pretrained(const std::string& name, const FetchProgress& progress = {});

// Fills the parameters of a model that is built of these settings, and prepares it. Every parameter
// of the encoder must be there. Pooler, classifier (if that tells apart as many labels) and the
// head of a masked language model are taken where they are there and stay as they are otherwise, as
// do gains of norms inside BitLinear. Returns the names of those that stayed. Throws Error that
// lists every setting and tensor which does not fit.
std::vector<std::string> load_pretrained(const std::string& name,
                                         const BertConfig& config,
                                         LanguageModel& model);

// The same for the model of a spec; does nothing if it begins with random weights.
std::vector<std::string> load_pretrained(const Spec& spec, LanguageModel& model);

}  // namespace bitlab
