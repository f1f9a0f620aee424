#pragma once
// One parameter of a model from a safetensors file.
#include "core/io/safetensors.h"
#include "layers/models/model.h"

namespace bitlab {

// What becomes of tables that a model reads row by row, embeddings, and that are stored in 16 bits.
enum class Tables {
  Widened,   // to floats, as all other parameters
  AsStored,  // kept so: the same values in half the memory, for who only runs the model
};

// Throws Error if the file has no tensor of that name and size, or one that holds no floats.
void read_param(const SafetensorsFile& file, const Param& p, LanguageModel& model, Tables tables);

}  // namespace bitlab
