#pragma once
// What a pickle of tensors may name.
#include <string>

#include "core/io/safetensors.h"

namespace bitlab {

// The dtype of "torch NAMEStorage"; null for another name.
const DType* storage_dtype(const std::string& global);

// Whether "module name" is a function that records of tensors are made of.
bool is_tensor_function(const std::string& global);

}  // namespace bitlab
