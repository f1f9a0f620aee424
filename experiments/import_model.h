#pragma once
// A model of another program as a finished run: see docs/checkpoints.md.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bitlab {

struct ImportRequest {
  std::filesystem::path source;   // see read_foreign_model
  std::filesystem::path run_dir;  // where to; must not exist, or be empty
  std::string tokenizer;          // a name or a file; empty: what lies beside the model
};

struct ImportResult {
  std::string format;     // of what was read
  std::string tokenizer;  // the name or the file that it is from
  std::size_t params = 0, ternary_params = 0;
  std::uintmax_t bytes = 0;        // of model.safetensors
  std::vector<std::string> notes;  // what the user has to be told
};

// Reads and checks everything, and only then makes the folder, whole or not at all. Weights keep
// the dtype that they were stored in. Throws Error for what cannot be read or built, UsageError
// if there is no tokenizer or it has more tokens than the model.
ImportResult import_model(const ImportRequest& request);

}  // namespace bitlab
