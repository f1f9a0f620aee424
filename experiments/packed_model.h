#pragma once
// A trained model as it is stored for use: ternary weights in 2 bits, the rest in floats.
//
// packed.safetensors holds, for each ternary matrix NAME.weight, the codes as U8 (ceil(rows / 4) x
// cols, Hugging Face's BitNet layout, core/quant/packing.h) and NAME.weight_scale (F32, one value,
// to multiply by); every other parameter under its own name in F32, or rounded to F16. Metadata:
// format, and rows.NAME.weight, the rows before packing.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "experiments/stored_param.h"
#include "layers/models/model.h"

namespace bitlab {

// What the metadata of every such file begins with, and whether a file is one.
std::map<std::string, std::string> packed_metadata();
bool is_packed(const SafetensorsFile& file);

// Collects what such a file holds.
class PackedWriter {
 public:
  explicit PackedWriter(DType rest = DType::F32) : rest_(rest) {}
  // codes: rows x cols, of the matrix `name` ("blocks.0.attn.wq.weight").
  void add_ternary(const std::string& name,
                   const std::int8_t* codes,
                   std::size_t rows,
                   std::size_t cols,
                   float scale);
  void add_full(const std::string& name, std::vector<std::size_t> shape, std::vector<float> values);
  // Writes the file atomically and returns its size in bytes.
  std::uintmax_t write(const std::filesystem::path& path) const;

 private:
  DType rest_;                                    // of what is not ternary
  std::deque<std::vector<std::uint8_t>> packed_;  // deques: the tensors point into them
  std::deque<std::vector<float>> floats_;
  std::vector<TensorBytes> tensors_;
  std::map<std::string, std::string> metadata_ = packed_metadata();
};

// Writes the file atomically and returns its size in bytes. The model must be prepared.
std::uintmax_t write_packed(const std::filesystem::path& path,
                            const LanguageModel& model,
                            DType rest = DType::F32);

// Gives the model the file's parameters and fixed ternary codes, and prepares it for use at `step`
// (which decides whether quantisation has fully faded in). Throws Error for what is missing or does
// not fit.
void load_packed(const std::filesystem::path& path,
                 LanguageModel& model,
                 std::uint64_t step,
                 Tables tables = Tables::Widened);

}  // namespace bitlab
