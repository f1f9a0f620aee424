#pragma once
// A trained model as it is stored for use: ternary weights in 2 bits, the rest in fp32.
//
// packed.safetensors holds, for each ternary matrix NAME.weight, the codes as U8 (ceil(rows / 4) x
// cols, Hugging Face's BitNet layout, core/quant/packing.h) and NAME.weight_scale (F32, one value,
// to multiply by); every other parameter under its own name in F32. Metadata: format, and
// rows.NAME.weight, the rows before packing.
#include <cstdint>
#include <filesystem>

#include "layers/models/model.h"

namespace bitlab {

// Writes the file atomically and returns its size in bytes. The model must be prepared.
std::uintmax_t write_packed(const std::filesystem::path& path, const LanguageModel& model);

// Gives the model the file's parameters and fixed ternary codes, and prepares it for use at `step`
// (which decides whether quantisation has fully faded in). Throws Error for what is missing or does
// not fit.
void load_packed(const std::filesystem::path& path, LanguageModel& model, std::uint64_t step);

}  // namespace bitlab
