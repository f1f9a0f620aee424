#pragma once
// The weights of a checkpoint that may be one safetensors file or several (shards), as Hugging Face
// keeps them: model.safetensors, or model.safetensors.index.json, whose "weight_map" says which
// file holds each tensor.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace bitlab {

class SafetensorsSet {
 public:
  // `path`: a .safetensors file, an index (.json), or a folder: with model.safetensors, else
  // model.safetensors.index.json, else one file *.safetensors. Files of an index lie beside it.
  // Throws Error if there are no weights, a file is damaged, or index and files do not hold exactly
  // the same tensors.
  explicit SafetensorsSet(const std::filesystem::path& path);

  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const { return holder_.count(name) > 0; }
  // Throws Error if there is no such tensor.
  const TensorBytes& at(const std::string& name) const { return file_of(name).at(name); }
  // As in SafetensorsFile.
  template <class T>
  void read(const std::string& name, T* out, std::size_t n) const {
    file_of(name).read(name, out, n);
  }

  // The same, whatever the tensor is called.
  void give_back(const TensorBytes& tensor) const {
    for (const SafetensorsFile& file : files_) file.give_back(tensor);
  }

  const std::vector<std::filesystem::path>& paths() const { return paths_; }
  const std::string& where() const { return where_; }  // for errors
  // Of one file; of several, those of the first.
  const std::map<std::string, std::string>& metadata() const { return files_.front().metadata(); }

 private:
  void open_index(const std::filesystem::path& index);
  void open_file(const std::filesystem::path& file);
  const SafetensorsFile& file_of(const std::string& name) const;

  std::string where_;
  std::vector<std::filesystem::path> paths_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t> holder_;  // index of the file
};

}  // namespace bitlab
