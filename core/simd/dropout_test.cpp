// Dropout's kernels against the definition of their mask, which must not change: runs that resume
// draw it again.
#include <vector>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/simd/kernels.h"

using namespace bitlab;

TEST_CASE("dropout drops by the bits of the element's number, on every instruction set",
          "[simd][dropout]") {
  for (const std::string& name : simd::available_kernels())
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1} << 33})
      for (const size_t n : {1, 2, 127, 128, 129, 1000}) {
        CAPTURE(name, first, n);
        const Rng rng(5, "dropout/x");
        std::vector<real> x(n), y(n, -1);
        for (size_t i = 0; i < n; ++i) x[i] = static_cast<real>(i) + real(0.5);
        simd::DropoutArgs args;
        args.n = n;
        args.x = x.data();
        args.y = y.data();
        args.limit = 0x4CCCCCCCu;  // 0.3
        args.keep = real(1 / 0.7);
        args.key = rng.key();
        args.step = 12345678901234;
        args.first = first;
        simd::kernels_named(name).dropout(args);
        for (size_t i = 0; i < n; ++i) {
          const std::uint64_t element = first + i, word = rng.bits(args.step, element / 2);
          const auto half = static_cast<std::uint32_t>(element % 2 ? word >> 32 : word);
          REQUIRE(y[i] == (half < args.limit ? real(0) : x[i] * args.keep));
        }
        args.y = x.data();  // in place
        simd::kernels_named(name).dropout(args);
        CHECK(x == y);
      }
}
