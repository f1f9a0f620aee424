#include "core/io/torch_file.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/packed_files.h"
#include "core/io/torch_pickle.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// First of an old file's pickles, as the bytes of a Python integer.
constexpr std::string_view kOldMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

using Storages = std::map<std::string, std::string>;

// Whether a zip archive has the record that ends every one of them: without it the file is cut off,
// though its first members may be whole.
bool has_end(std::string_view zip) {
  constexpr std::size_t kLongest = 22 + 65535;  // the record with its comment
  const std::size_t from = zip.size() < kLongest ? 0 : zip.size() - kLongest;
  return zip.substr(from).find("PK\x05\x06") != std::string_view::npos;
}

// NAME/data.pkl, and NAME/data/KEY for each storage.
Pickle read_zip(const fs::path& path, std::string_view content, Storages& storages) {
  if (!has_end(content)) throw Error(path.string(), "must be a whole zip archive, but is cut off");
  std::string pickle;
  const auto key_of = [](const std::string& name) -> std::string {
    const std::size_t folder = name.find("/data/");
    return folder == std::string::npos ? "" : name.substr(folder + 6);
  };
  read_archive(
      path,
      [&](const std::string& name) { return name.ends_with("/data.pkl") || !key_of(name).empty(); },
      [&](const std::string& name, std::string content) {
        if (name.ends_with("/data.pkl"))
          pickle = std::move(content);
        else
          storages[key_of(name)] = std::move(content);
      });
  if (pickle.empty()) throw Error(path.string(), "must hold NAME/data.pkl, but does not");
  std::size_t at = 0;
  return read_pickle(path.string(), pickle, at);
}

// Storages of all tensors of a pickle.
std::map<std::string, TorchStorage> storages_of(const Pickle& pickle) {
  std::map<std::string, TorchStorage> storages;
  const auto add = [&](const PickleValue& value) {
    if (value.tensor) storages[value.tensor->storage.key] = value.tensor->storage;
  };
  add(pickle.value);
  for (const std::vector<PickleValue>& items : pickle.containers)
    for (const PickleValue& item : items) add(item);
  return storages;
}

// Magic, version, facts of the machine, the object, the keys; then of each key, in that order, its
// number of elements and their bytes.
Pickle read_old(const fs::path& path, const std::string& content, Storages& storages) {
  const std::string where = path.string();
  std::size_t at = 0;
  for (int header = 0; header < 3; ++header) read_pickle(where, content, at);
  Pickle object = read_pickle(where, content, at);
  const Pickle keys = read_pickle(where, content, at);
  const std::map<std::string, TorchStorage> known = storages_of(object);
  if (keys.value.kind != PickleValue::Kind::List) throw Error(where, "must list its storages");
  for (const PickleValue& key : *keys.value.items) {
    const auto storage = known.find(key.text);
    if (storage == known.end())
      throw Error(where, "must hold storages of its tensors alone, but '" + key.text + "' is none");
    std::uint64_t elements = 0;
    if (content.size() - at < sizeof elements) throw Error(where, "is cut off");
    std::memcpy(&elements, content.data() + at, sizeof elements);
    at += sizeof elements;
    const std::size_t element = dtype_size(storage->second.dtype);
    if (elements != storage->second.size || elements > (content.size() - at) / element)
      throw Error(where, "is cut off, or its storages are not as long as it says");
    storages[key.text] = content.substr(at, elements * element);
    at += elements * element;
  }
  return object;
}

bool is_row_by_row(const TorchTensor& tensor) {
  std::size_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0; expected *= tensor.shape[i])
    if (tensor.shape[i] != 1 && tensor.stride[i] != expected) return false;
  return true;
}

bool fits(const TorchTensor& tensor, std::size_t bytes) {
  const std::size_t limit = bytes / dtype_size(tensor.storage.dtype);
  if (tensor.offset > limit) return false;
  std::size_t left = limit - tensor.offset, size = 1;
  for (const std::size_t n : tensor.shape) {
    if (n != 0 && size > left / n) return false;
    size *= n;
  }
  return size <= left;
}

}  // namespace

TorchFile::TorchFile(const fs::path& path) {
  const std::string where = path.string(), content = read_file(path);
  Pickle pickle;
  if (content.starts_with("PK"))
    pickle = read_zip(path, content, storages_);
  else if (content.substr(0, 32).find(kOldMagic) != std::string::npos)
    pickle = read_old(path, content, storages_);
  else
    throw Error(where, "must be a checkpoint of PyTorch (torch.save), but is none");
  PickleValue object = pickle.value;
  // Training scripts wrap the weights.
  for (const char* wrapped : {"state_dict", "model"})
    if (const PickleValue* inner = object.find(wrapped);
        inner != nullptr && inner->kind == PickleValue::Kind::Dict)
      object = PickleValue(*inner);
  if (object.kind != PickleValue::Kind::Dict)
    throw Error(where, "must hold tensors by their names");
  for (std::size_t i = 0; i + 1 < object.items->size(); i += 2) {
    const PickleValue &name = (*object.items)[i], &item = (*object.items)[i + 1];
    if (name.kind != PickleValue::Kind::Text || item.kind != PickleValue::Kind::Tensor) continue;
    const TorchTensor& tensor = *item.tensor;
    const auto storage = storages_.find(tensor.storage.key);
    if (storage == storages_.end() || !fits(tensor, storage->second.size()))
      throw Error(where, "the tensor " + name.text + " must lie in the file, but does not");
    if (!is_row_by_row(tensor))
      throw Error(where, "the tensor " + name.text + " must lie row by row, but does not");
    tensors_.push_back({name.text, tensor.storage.dtype, tensor.shape,
                        storage->second.data() + tensor.offset * dtype_size(tensor.storage.dtype)});
  }
  std::sort(tensors_.begin(), tensors_.end(),
            [](const TensorBytes& a, const TensorBytes& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < tensors_.size(); ++i)
    if (tensors_[i].name == tensors_[i - 1].name)
      throw Error(where, "the tensor " + tensors_[i].name + " must come once, but comes twice");
  if (tensors_.empty()) throw Error(where, "must hold tensors, but holds none");
}

}  // namespace bitlab
