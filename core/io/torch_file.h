#pragma once
// The weights in pytorch_model.bin, as torch.save() writes them: a zip archive, or (before PyTorch
// 1.6) pickles one after another. See torch_pickle.h for what is read of them and what is refused.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace bitlab {

class TorchFile {
 public:
  // Throws Error if the file is damaged, holds no tensors, names one twice, asks for code to be
  // run, or has a tensor that does not lie within its storage or not row by row.
  explicit TorchFile(const std::filesystem::path& path);

  // Sorted by name. Their memory is this object's.
  const std::vector<TensorBytes>& tensors() const { return tensors_; }

 private:
  std::map<std::string, std::string> storages_;  // bytes by key
  std::vector<TensorBytes> tensors_;
};

}  // namespace bitlab
