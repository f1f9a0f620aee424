#include "layers/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "core/base/rng.h"

namespace bitlab {

GradientProblem::GradientProblem(LayerPtr made, size_t in, size_t vocab)
    : layer(std::move(made)),
      store(*layer),
      gradients(store.size()),
      x(kBatch * kSeqLen * in),
      tokens(kBatch * kSeqLen),
      in(in) {
  store.initialise(11);
  const View values = store.values();
  std::vector<real> push(values.size());
  Rng(11, "push").fill_normal(0.3, push.data(), push.size());  // gains leave 1, biases leave 0
  for (size_t i = 0; i < push.size(); ++i) values.data[i] += push[i];
  Rng(11, "x").fill_normal(1, x.data(), x.size());
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] =
        static_cast<std::int32_t>(Rng(11, "tokens").below(std::max<size_t>(vocab, 1), 0, i));
  pass.batch = kBatch;
  pass.seq_len = kSeqLen;
  pass.tokens = tokens.data();
  pass.training = true;
  pass.seed = 5;
  pass.step = kStep;
  pass.first_row = 3 * kSeqLen;
  pass.gradients = &gradients;
}

void GradientProblem::set_lengths(const std::vector<size_t>& lengths) {
  begins = {0};
  for (const size_t length : lengths) begins.push_back(begins.back() + length);
  pass.batch = lengths.size();
  pass.begins = begins.data();
}

std::vector<real> GradientProblem::outputs() {
  pass.arena.reset();
  pass.saved.clear();
  const View y = layer->forward(in ? input() : View{}, pass);
  output_rows = y.rows;
  if (weight.empty()) {
    weight.resize(y.size());
    Rng(11, "loss").fill_normal(1, weight.data(), weight.size());
  }
  return {y.data, y.data + y.size()};
}

double GradientProblem::loss(const std::vector<real>& y) const {
  double sum = 0;
  for (size_t i = 0; i < y.size(); ++i)
    sum += static_cast<double>(y[i]) * static_cast<double>(weight[i]);
  return sum;
}

std::vector<real> GradientProblem::backward() {
  std::fill_n(gradients.values().data, store.size(), kStart);
  const size_t n = outputs().size();
  const View dy = pass.arena.matrix(output_rows, n / output_rows);
  std::copy(weight.begin(), weight.end(), dy.data);
  const View dx = layer->backward(dy, pass);
  return in ? std::vector<real>(dx.data, dx.data + dx.size()) : std::vector<real>{};
}

void GradientReport::compare(const std::string& name,
                             const std::vector<double>& got,
                             const std::vector<double>& want) {
  double size = 1e-3;  // a tensor whose gradient is 0 (a key's bias) is judged against this
  for (const double w : want) size = std::max(size, std::fabs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    const double error = std::fabs(got[i] - want[i]) / size;
    if (!(error <= worst)) {  // NaN too
      worst = std::isnan(error) ? INFINITY : error;
      where = name + "[" + std::to_string(i) + "]: backward " + std::to_string(got[i]) +
              ", difference " + std::to_string(want[i]);
    }
  }
  compared += want.size();
}

namespace {

std::vector<double> differences(real* at, size_t n, const std::function<double()>& loss) {
  const real h = real(1e-5);
  std::vector<double> slopes(n);
  for (size_t i = 0; i < n; ++i) {
    const real before = at[i];
    at[i] = before + h;
    const double up = loss();
    at[i] = before - h;
    const double down = loss();
    at[i] = before;
    slopes[i] = (up - down) / (2 * static_cast<double>(h));
  }
  return slopes;
}

}  // namespace

GradientReport check_gradients(GradientProblem& problem, const std::function<double()>& loss) {
  GradientReport report;
  const std::vector<real> dx = problem.backward();
  std::vector<double> got(problem.gradients.values().data,
                          problem.gradients.values().data + problem.store.size());
  for (double& g : got) g -= GradientProblem::kStart;
  report.compare("x", {dx.begin(), dx.end()},
                 differences(problem.x.data(), problem.x.size(), loss));
  for (const Param* p : problem.store.params()) {
    const auto begin = got.begin() + static_cast<std::ptrdiff_t>(p->offset);
    report.compare(p->name, {begin, begin + static_cast<std::ptrdiff_t>(p->size())},
                   differences(p->value.data, p->size(), loss));
  }
  return report;
}

GradientReport check_gradients(GradientProblem& problem) {
  return check_gradients(problem, [&] {
    problem.prepare();
    return problem.loss(problem.outputs());
  });
}

}  // namespace bitlab
