// The control that cannot learn: what prepare() writes, and why no code ever changes.
#include "layers/in_place_ternary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "layers/params.h"

using namespace bitlab;

namespace {

struct Prepared {
  InPlaceTernary layer{LinearShape{"l", 5, {{"a", 4}, {"b", 3}}, true, {Init::Kind::Normal, 0.02}},
                       InPlaceTernaryConfig{}};
  ParamStore store{layer};
  std::vector<real> fresh;

  Prepared() {
    store.initialise(7);
    fresh.assign(store.values().data, store.values().data + store.size());
    layer.prepare(0);
  }
  std::vector<real> values() { return {store.values().data, store.values().data + store.size()}; }
};

// clamp(round(w / (mean|w| + eps)), -1, 1), one matrix after the other; the rest as it is.
std::vector<real> by_definition(std::vector<real> values, const ParamStore& store) {
  for (const Param* p : store.params()) {
    if (!p->ternary) continue;
    double mean = 0;
    for (size_t i = 0; i < p->size(); ++i)
      mean += std::fabs(double(values[p->offset + i])) / double(p->size());
    for (size_t i = 0; i < p->size(); ++i) {
      real& w = values[p->offset + i];
      w = static_cast<real>(std::clamp(std::nearbyint(double(w) / (mean + 1e-5)), -1.0, 1.0));
    }
  }
  return values;
}

}  // namespace

TEST_CASE("preparing writes ternary codes over the weights and leaves biases", "[in_place]") {
  Prepared p;
  CHECK(p.values() == by_definition(p.fresh, p.store));
  CHECK(p.store.ternary_size() == 35);
  const auto before = p.values();
  p.layer.prepare(1);
  CHECK(p.values() == before);
}

TEST_CASE("steps of an optimiser are rounded away, half a unit is not", "[in_place]") {
  Prepared p;
  const auto before = p.values();
  const Param& w = *p.store.params().front();
  for (size_t i = 0; i < w.size(); ++i) w.value.data[i] += real(i % 2 ? 0.05 : -0.05);
  p.layer.prepare(1);
  CHECK(p.values() == before);
  const real first = w.value.data[0];
  w.value.data[0] += real(first > 0 ? -0.9 : 0.9);
  p.layer.prepare(2);
  CHECK(w.value.data[0] != first);
}

TEST_CASE("statistics and packed codes agree with the weights", "[in_place]") {
  Prepared p;
  size_t matrices = 0;
  p.layer.visit_ternary([&](const TernaryStats& t) {
    ++matrices;
    CHECK(t.minus + t.zero + t.plus == Approx(1));
    CHECK(t.scale == 1);
    double zeros = 0;
    const std::vector<real> effective = t.effective();
    REQUIRE(effective.size() == t.size());
    for (size_t i = 0; i < effective.size(); ++i) {
      CHECK(real(t.codes[i]) == effective[i]);
      zeros += t.codes[i] == 0;
    }
    CHECK(t.zero == Approx(zeros / double(t.size())));
  });
  CHECK(matrices == 2);
  CHECK(p.layer.fix_ternary("a.weight", std::vector<std::int8_t>(20, 1), 1));
  CHECK(p.store.params().front()->value.data[19] == 1);
  CHECK_FALSE(p.layer.fix_ternary("c.weight", {}, 1));
  CHECK_THROWS_AS(p.layer.fix_ternary("b.weight", {1, 1}, 1), Error);
}

TEST_CASE("a weight that is not a number stays visible", "[in_place]") {
  Prepared p;
  p.store.params().front()->value.data[3] = NAN;
  p.layer.prepare(1);
  CHECK(std::isnan(p.store.params().front()->value.data[3]));
}
