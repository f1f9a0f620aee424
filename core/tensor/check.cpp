#include "core/tensor/check.h"

namespace bitlab {

void throw_shape_error(const char* where, const char* name, View v, size_t rows, size_t cols) {
  const auto shape = [](size_t r, size_t c) {
    return std::to_string(r) + " x " + std::to_string(c);
  };
  throw Error(where, std::string(name) + " must be " + shape(rows, cols) + ", but is " +
                         shape(v.rows, v.cols) + (v.data ? "" : " without memory"));
}

}  // namespace bitlab
