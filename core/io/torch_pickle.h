#pragma once
// The pickles inside of PyTorch's checkpoints, without running anything. A pickle is a program for
// a stack machine that may call any function by its name. Here it may build numbers, texts,
// tuples, lists and dicts, and name the few functions that records of tensors are made of; those
// are understood and never called. Whatever else it asks for is refused. (Python: pickletools.py;
// torch/_utils.py, torch/serialization.py.)
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/safetensors.h"

namespace bitlab {

// Numbers of one type, somewhere else in the file.
struct TorchStorage {
  DType dtype = DType::F32;
  std::string key;       // names its bytes
  std::size_t size = 0;  // elements
};

// A view of a storage.
struct TorchTensor {
  TorchStorage storage;
  std::size_t offset = 0;  // elements
  std::vector<std::size_t> shape, stride;
};

// One of the values that a pickle makes.
struct PickleValue {
  enum class Kind {
    None,
    Bool,
    Number,
    Real,
    Text,
    Tuple,
    List,
    Dict,
    Global,
    Storage,
    Tensor,
    Mark
  };
  Kind kind = Kind::None;
  std::int64_t number = 0;  // Bool and Number; -1 for integers beyond 64 bits
  double real = 0;
  std::string text;  // Text; Global: "module name"
  // Tuple, List: items. Dict: key, value, key, value ... Of the Pickle, since one container may be
  // named in several places and go on being filled, and may hold itself.
  std::vector<PickleValue>* items = nullptr;
  std::shared_ptr<const TorchTensor> tensor;  // Tensor; Storage: its storage alone

  // The value of a key of a Dict; null if it has none, or this is no Dict.
  const PickleValue* find(std::string_view key) const;
};

// What a pickle makes, with all containers in one place: however deep they are nested, nothing goes
// through them to destroy them.
struct Pickle {
  PickleValue value;
  std::deque<std::vector<PickleValue>> containers;
};

// Reads one pickle from bytes[at, ...) and moves `at` behind it. Throws Error with `where`, the
// place and what was found, if the bytes are no pickle, are cut off, or ask for what is refused.
Pickle read_pickle(const std::string& where, std::string_view bytes, std::size_t& at);

}  // namespace bitlab
