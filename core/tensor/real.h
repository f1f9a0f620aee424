#pragma once
// The scalar of all arithmetic: float in the product, double in the gradient checks (a second build
// of the same sources with -DBITLAB_DOUBLE).

namespace bitlab {

#ifdef BITLAB_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace bitlab
