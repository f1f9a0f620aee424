#include "experiments/trainer.h"

#include <array>
#include <chrono>
#include <cmath>

#include "core/io/classification_scores.h"

namespace bitlab {

namespace {

constexpr double kLeastFirstLoss = 0.5;  // nats; two labels that nobody knows have 0.69

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Trainer::Trainer(TrainerSettings settings,
                 LanguageModel& model,
                 const Task& task,
                 ThreadTeam& team,
                 TrainObserver& observer)
    : settings_(std::move(settings)),
      model_(model),
      task_(task),
      team_(team),
      observer_(observer),
      update_(settings_.update, model, task, team) {
  const auto checkpoints = list_checkpoints(settings_.run_dir);
  if (!checkpoints.empty())
    state_ = load_checkpoint(checkpoints.back(), model_, update_.optimizer(), codes_);
  seconds_at_log_ = state_.train_seconds;
  step_at_log_ = state_.step;
  tokens_at_log_ = state_.tokens;
}

TrainOutcome Trainer::run(const std::atomic<int>& stop) {
  const std::int64_t steps = train().steps;
  observer_.on_start(state_.step, steps);
  TrainOutcome outcome;
  if (!first_evaluated()) {
    const bool owed = state_.evaluation_due;
    if (!evaluate())
      outcome.end = TrainOutcome::End::Stopped;  // with what the last attempt saved
    else if (owed && state_.step == steps)
      save_last_evaluation();  // no later checkpoint will say so
  }
  while (state_.step < steps && outcome.end == TrainOutcome::End::Done) {
    if (!one_step()) {
      outcome.end = TrainOutcome::End::Diverged;
      break;
    }
    const bool last = state_.step == steps;
    if (due(train().log_every) || last) log_row();
    if (due(settings_.eval.every) || last) state_.evaluation_due = !evaluate();
    const bool stopped = stop.load() != 0 && (!last || state_.evaluation_due);
    if (due(train().checkpoint_every) || last || stopped) save();
    if (stopped) outcome.end = TrainOutcome::End::Stopped;
  }
  outcome.step = state_.step;
  outcome.train_seconds = state_.train_seconds;
  outcome.tokens_per_s =
      state_.train_seconds > 0 ? static_cast<double>(state_.tokens) / state_.train_seconds : 0;
  return outcome;
}

bool Trainer::due(std::int64_t every) const { return state_.step % every == 0; }

bool Trainer::one_step() {
  const double begin = seconds_now();
  const double loss = update_.run(state_.step);
  if (state_.step == 0) state_.first_loss = loss;
  // Weights that fit already, as those of a teacher, begin near 0.
  const double from = std::max(state_.first_loss, kLeastFirstLoss);
  if (!std::isfinite(loss) || loss > train().diverged_factor * from) return false;
  ++state_.step;
  state_.tokens += static_cast<std::int64_t>(update_.tokens());
  state_.loss_sum += loss;
  ++state_.loss_count;
  state_.train_seconds += seconds_now() - begin;
  return true;
}

void Trainer::log_row() {
  TrainRow row;
  row.step = state_.step;
  row.tokens = state_.tokens;
  row.seconds = state_.train_seconds;
  row.loss = state_.loss_sum / static_cast<double>(state_.loss_count);
  row.lr = update_.schedule(state_.step - 1).lr;
  row.grad_norm = update_.gradient_norm();
  const double seconds = state_.train_seconds - seconds_at_log_;
  const auto steps = static_cast<double>(state_.step - step_at_log_);
  TrainSpeed speed;
  if (seconds > 0 && steps > 0) {
    speed.tokens_per_s = static_cast<double>(state_.tokens - tokens_at_log_) / seconds;
    speed.eta_seconds = seconds / steps * static_cast<double>(train().steps - state_.step) +
                        evaluation_seconds_ * static_cast<double>(evaluations_left());
  }
  observer_.on_train(row, speed);
  state_.loss_sum = 0;
  state_.loss_count = 0;
  seconds_at_log_ = state_.train_seconds;
  step_at_log_ = state_.step;
  tokens_at_log_ = state_.tokens;
}

std::int64_t Trainer::evaluations_left() const {
  const std::int64_t every = settings_.eval.every, steps = train().steps;
  return steps / every - state_.step / every + (steps % every != 0 ? 1 : 0);
}

bool Trainer::evaluate() {
  const double begin = seconds_now();
  std::array<Evaluation, 2> results;
  try {
    results = {task_.evaluate(model_, Split::Val, team_),
               task_.evaluate(model_, Split::Train, team_)};
  } catch (const Stopped&) {
    return false;
  }
  state_.evaluation_due = false;
  for (const bool val : {true, false}) {
    Evaluation& result = results[val ? 0 : 1];
    if (result.tokens == 0) continue;
    const std::string name = val ? "val" : "train";
    observer_.on_eval({state_.step, name, result.loss, result.standard_error, result.tokens});
    for (PredictionRow& row : result.predictions) row.step = state_.step;
    if (result.predictions.empty()) continue;
    const ClassificationScores s = score(result.predictions, model_.vocab_size());
    observer_.on_scores({state_.step, name, s.accuracy, s.f1, s.calibration_error},
                        result.predictions);
  }
  std::vector<QuantRow> rows;
  model_.visit_ternary([&](const TernaryStats& t) {
    std::vector<std::int8_t>& before = codes_[t.name];
    const std::size_t n = t.size();
    std::size_t flips = 0;
    if (before.size() == n)
      for (std::size_t i = 0; i < n; ++i) flips += before[i] != t.codes[i];
    before.assign(t.codes, t.codes + n);
    rows.push_back({state_.step, t.name, t.minus, t.zero, t.plus,
                    static_cast<double>(flips) / static_cast<double>(n), t.scale});
  });
  if (!rows.empty()) observer_.on_quant(rows);
  evaluation_seconds_ = seconds_now() - begin;
  return true;
}

void Trainer::save_last_evaluation() {
  observer_.before_checkpoint(state_.step);
  const std::filesystem::path dir = list_checkpoints(settings_.run_dir).back();
  save_evaluated(dir, update_.optimizer(), state_, codes_);
  observer_.on_checkpoint(state_.step, dir);
}

void Trainer::save() {
  observer_.before_checkpoint(state_.step);
  const std::filesystem::path dir = save_checkpoint(settings_.run_dir, model_, update_.optimizer(),
                                                    state_, codes_, settings_.config_json);
  prune_checkpoints(settings_.run_dir, static_cast<std::size_t>(train().keep_checkpoints));
  observer_.on_checkpoint(state_.step, dir);
}

}  // namespace bitlab
