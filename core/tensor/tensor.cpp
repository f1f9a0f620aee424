#include "core/tensor/tensor.h"

#include "core/base/huge_pages.h"

namespace bitlab {

Tensor<1> make_zeros(size_t n) {
  auto values = Tensor<1>::from_shape({n});
  prefer_huge_pages(values.data(), n * sizeof(real));
  values.fill(0);
  return values;
}

}  // namespace bitlab
