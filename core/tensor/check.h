#pragma once
// Shape checks whose message names the tensor, the shape it must have and the one it has.
#include <string>

#include "core/base/error.h"
#include "core/tensor/view.h"

namespace bitlab {

[[noreturn]] void throw_shape_error(
    const char* where, const char* name, View v, size_t rows, size_t cols);

// Throws Error unless v is rows x cols and has memory.
inline void check_shape(const char* where, const char* name, View v, size_t rows, size_t cols) {
  if (v.rows != rows || v.cols != cols || (v.data == nullptr && v.size() > 0))
    throw_shape_error(where, name, v, rows, cols);
}

}  // namespace bitlab
