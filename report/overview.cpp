#include "report/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "report/format.h"

namespace bitlab {

namespace {

std::string last_change(const Overview& overview) {
  std::string last;
  for (const RunRecord& record : overview.runs)
    last = std::max({last, record.run.started, record.run.ended});
  return last;
}

std::string number_or_dash(double x) { return std::isfinite(x) ? format_fixed(x, 4) : "–"; }

// "63.1k"
std::string speed(double tokens_per_s) {
  if (!(tokens_per_s > 0)) return "–";
  if (tokens_per_s >= 1e6) return format_fixed(tokens_per_s / 1e6, 2) + "M";
  return tokens_per_s >= 1e3 ? format_fixed(tokens_per_s / 1e3, 1) + "k"
                             : format_fixed(tokens_per_s, 0);
}

double percent(std::int64_t step, std::int64_t steps) {
  return steps > 0 ? 100 * static_cast<double>(step) / static_cast<double>(steps) : 0;
}

// Seconds a step, over runs of which a speed is known; 0 if none is.
double seconds_per_step(const std::vector<RunRecord>& runs, const std::string* arm) {
  double seconds = 0, steps = 0;
  for (const RunRecord& record : runs) {
    const SeedResult& run = record.run;
    if (arm != nullptr && record.arm != *arm) continue;
    if (run.done() && run.wall_seconds > 0) {
      seconds += run.wall_seconds;
      steps += static_cast<double>(run.steps);
    } else if (run.state == SeedState::Running && run.live && run.live->eta_seconds > 0 &&
               run.steps > run.step) {
      const double rest = static_cast<double>(run.steps - run.step);
      seconds += run.live->eta_seconds;
      steps += rest;
    }
  }
  return steps > 0 ? seconds / steps : 0;
}

// Of one run that is running or will be; negative if not known.
double seconds_left_of(const RunRecord& record, const std::vector<RunRecord>& runs) {
  const SeedResult& run = record.run;
  const double eta = run.live ? run.live->eta_seconds : std::nan("");
  if (run.state == SeedState::Running && std::isfinite(eta) && run.live->tokens_per_s > 0)
    return eta;
  double pace = seconds_per_step(runs, &record.arm);
  if (pace <= 0) pace = seconds_per_step(runs, nullptr);
  return pace > 0 ? pace * static_cast<double>(run.steps - run.step) : -1;
}

double share_done(const Overview& overview) {
  std::int64_t done = 0, all = 0;
  for (const RunRecord& record : overview.runs) {
    all += record.run.steps;
    done += record.run.done() || record.run.state == SeedState::Pruned ? record.run.steps
                                                                       : record.run.step;
  }
  return percent(done, all);
}

TextTable running_table(const Overview& overview) {
  TextTable table{{{"id", true},
                   {"arm", true},
                   {"seed"},
                   {"step"},
                   {"%"},
                   {"loss"},
                   {"val"},
                   {"tok/s"},
                   {"eta"}},
                  {}};
  for (const RunRecord& record : overview.runs) {
    const SeedResult& run = record.run;
    if (run.state != SeedState::Running) continue;
    const LiveFigures none{std::nan(""), std::nan(""), 0, std::nan("")};
    const LiveFigures live = run.live.value_or(none);
    const bool known = std::isfinite(live.eta_seconds) && live.tokens_per_s > 0;
    table.rows.push_back(
        {record.id, record.arm, std::to_string(run.seed), fmt::format("{}/{}", run.step, run.steps),
         format_fixed(percent(run.step, run.steps), 1) + " %", number_or_dash(live.loss),
         number_or_dash(live.val_loss), speed(live.tokens_per_s),
         known ? format_duration(live.eta_seconds) : "–"});
  }
  return table;
}

}  // namespace

std::size_t Overview::count(SeedState state) const {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(),
                    [state](const RunRecord& record) { return record.run.state == state; }));
}

Overview overview(const std::filesystem::path& results_folder) {
  Overview result;
  result.name = results_folder.filename().string();
  try {
    const Results results = load_results(results_folder, Metrics::None);
    result.title = results.title;
    const std::vector<RunRecord> all = index_runs(results);
    result.runs = planned_runs(all);
    result.earlier = all.size() - result.runs.size();
  } catch (const Error& e) {
    result.problem = e.what();
  }
  return result;
}

TextTable overview_table(const std::vector<Overview>& overviews) {
  TextTable table{{{"experiment", true},
                   {"runs"},
                   {"done"},
                   {"running"},
                   {"queued"},
                   {"interrupted"},
                   {"failed"},
                   {"pruned"},
                   {"earlier"},
                   {"last change", true},
                   {"title", true}},
                  {}};
  for (const Overview& one : overviews) {
    const auto count = [&](SeedState state) { return std::to_string(one.count(state)); };
    const std::size_t failed = one.count(SeedState::Failed) + one.count(SeedState::Unreadable);
    table.rows.push_back({one.name, std::to_string(one.runs.size()), count(SeedState::Done),
                          count(SeedState::Running), count(SeedState::Queued),
                          count(SeedState::Interrupted), std::to_string(failed),
                          count(SeedState::Pruned), std::to_string(one.earlier), last_change(one),
                          one.problem.empty() ? one.title : one.problem});
  }
  return table;
}

std::string count_states(const Overview& overview) {
  std::string text =
      fmt::format("{} of {} done", overview.count(SeedState::Done), overview.runs.size());
  for (const SeedState state : {SeedState::Running, SeedState::Queued, SeedState::Interrupted,
                                SeedState::Failed, SeedState::Pruned, SeedState::Unreadable})
    if (const std::size_t n = overview.count(state); n > 0)
      text += fmt::format(", {} {}", n, to_string(state));
  return text;
}

double seconds_left(const Overview& overview) {
  const std::size_t at_once = overview.count(SeedState::Running);
  if (at_once == 0) return -1;
  double sum = 0, longest = 0;
  for (const RunRecord& record : overview.runs) {
    const SeedState state = record.run.state;
    if (state != SeedState::Running && state != SeedState::Queued) continue;
    const double seconds = seconds_left_of(record, overview.runs);
    if (seconds < 0) return -1;
    sum += seconds;
    longest = std::max(longest, seconds);
  }
  return std::max(longest, sum / static_cast<double>(at_once));
}

std::string status_text(const Overview& overview) {
  if (!overview.problem.empty()) return overview.name + ": " + overview.problem + "\n";
  std::string text = overview.name + ": " + count_states(overview);
  text += fmt::format("; {} % of all steps", format_fixed(share_done(overview), 0));
  const double left = seconds_left(overview);
  if (left >= 0) text += "; about " + format_duration(left) + " left";
  text += "\n";
  if (overview.count(SeedState::Running) > 0) text += plain_text(running_table(overview));
  for (const RunRecord& record : overview.runs)
    if (record.run.state == SeedState::Failed || record.run.state == SeedState::Unreadable)
      text += fmt::format("{} {} seed {} {}: {}\n", record.id, record.arm, record.run.seed,
                          to_string(record.run.state),
                          record.run.reason.substr(0, record.run.reason.find('\n')));
  return text;
}

}  // namespace bitlab
