#include "layers/params.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/huge_pages.h"
#include "core/base/rng.h"

namespace bitlab {

void visit_distinct_params(Layer& net, const ParamVisitor& visit) {
  std::set<const Param*> seen;
  net.visit_params("", [&](const std::string& prefix, Param& p) {
    if (seen.insert(&p).second) visit(prefix, p);
  });
}

ParamStore::ParamStore(Layer& net) {
  std::set<std::string> names;
  size_t size = 0;
  visit_distinct_params(net, [&](const std::string& prefix, Param& p) {
    p.name = join_name(prefix, p.name);
    if (!names.insert(p.name).second)
      throw Error("parameters", "names must differ, but '" + p.name + "' came twice");
    p.offset = size;
    size += p.size();
    params_.push_back(&p);
  });
  memory_ = AddressSpace(size * sizeof(real));
  values_ = {static_cast<real*>(memory_.data()), 1, size};
  for (Param* p : params_) p->value = {values_.data + p->offset, p->rows, p->cols};
}

void ParamStore::expect_all() { prefer_huge_pages(memory_.data(), memory_.size()); }

void ParamStore::initialise(std::uint64_t seed) {
  expect_all();
  for (Param* p : params_) {
    const Rng rng(seed, "init/" + p->name);
    real* const out = p->value.data;
    const size_t n = p->size();
    switch (p->init.kind) {
      case Init::Kind::Zeros:
        std::fill_n(out, n, real(0));
        break;
      case Init::Kind::Ones:
        std::fill_n(out, n, real(1));
        break;
      case Init::Kind::Normal:
        rng.fill_normal(p->init.std, out, n);
        break;
      case Init::Kind::KaimingUniform: {  // torch.nn.Linear's default: U(-1/sqrt(in), 1/sqrt(in))
        const double bound = 1 / std::sqrt(static_cast<double>(p->cols));
        for (size_t i = 0; i < n; ++i)
          out[i] = static_cast<real>(bound * (2 * rng.uniform(0, i) - 1));
        break;
      }
    }
  }
}

size_t ParamStore::ternary_size() const {
  size_t n = 0;
  for (const Param* p : params_) n += p->ternary ? p->size() : 0;
  return n;
}

}  // namespace bitlab
