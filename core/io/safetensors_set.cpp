#include "core/io/safetensors_set.h"

#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json_nesting.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// The file or the index that a folder keeps its weights in.
fs::path weights_of(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* name : {"model.safetensors", "model.safetensors.index.json"})
    if (fs::exists(path / name)) return path / name;
  std::vector<fs::path> found;
  bool pickled = false;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".safetensors") found.push_back(entry.path());
    pickled |= entry.path().filename().string().starts_with("pytorch_model");
  }
  if (found.size() == 1) return found.front();
  throw Error(path.string(),
              "must hold model.safetensors, model.safetensors.index.json or one other file "
              "*.safetensors, but holds " +
                  (found.empty() ? std::string("none") : std::to_string(found.size())),
              pickled ? "pickled weights (pytorch_model.bin) are not read: save the model with "
                        "safe_serialization=True"
                      : "");
}

// The file of each tensor, as an index that nobody vouches for says.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  std::map<std::string, std::string> files;
  try {
    const json parsed = json::parse(shallow_json(read_file(index), index.string()));
    for (const auto& [name, file] : parsed.at("weight_map").items())
      files[name] = file.get<std::string>();
  } catch (const json::exception& e) {
    throw Error(index.string(), std::string("must map tensors to files, but: ") + e.what());
  }
  for (const auto& [name, file] : files) {
    const bool plain = !file.empty() && file.find_first_of("/\\") == std::string::npos &&
                       fs::path(file).extension() == ".safetensors";
    if (!plain)
      throw Error(index.string(), "'" + name +
                                      "' must be in a file *.safetensors beside the index"
                                      ", but is said to be in '" +
                                      file + "'");
  }
  if (files.empty()) throw Error(index.string(), "must name tensors, but names none");
  return files;
}

}  // namespace

SafetensorsSet::SafetensorsSet(const fs::path& path) {
  const fs::path weights = weights_of(path);
  where_ = weights.string();
  if (weights.extension() == ".json")
    open_index(weights);
  else
    open_file(weights);
}

void SafetensorsSet::open_file(const fs::path& file) {
  files_.emplace_back(file);
  paths_.push_back(file);
  for (const TensorBytes& tensor : files_.back().tensors())
    if (!holder_.emplace(tensor.name, files_.size() - 1).second)
      throw Error(where_, "each tensor must be in one file, but '" + tensor.name + "' is in " +
                              paths_[holder_.at(tensor.name)].filename().string() + " and in " +
                              file.filename().string());
}

void SafetensorsSet::open_index(const fs::path& index) {
  const auto expected = read_weight_map(index);
  std::set<std::string> names;
  for (const auto& [name, file] : expected) names.insert(file);
  for (const std::string& file : names) open_file(index.parent_path() / file);
  for (const auto& [name, file] : expected)
    if (!contains(name) || paths_[holder_.at(name)].filename() != file)
      throw Error(where_, "'" + name + "' must be in " + file + ", but is not");
  for (const auto& [name, file] : holder_)
    if (expected.count(name) == 0)
      throw Error(where_, "each tensor must be in the index, but '" + name + "' of " +
                              paths_[file].filename().string() + " is not");
}

std::vector<std::string> SafetensorsSet::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : holder_) names.push_back(name);
  return names;
}

const SafetensorsFile& SafetensorsSet::file_of(const std::string& name) const {
  const auto found = holder_.find(name);
  if (found == holder_.end())
    throw Error(where_, "must contain the tensor '" + name + "', but does not");
  return files_[found->second];
}

}  // namespace bitlab
