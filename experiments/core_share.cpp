#include "experiments/core_share.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <queue>
#include <utility>

namespace bitlab {

namespace {

// The most runs that have as many runs before them, one after another: an estimate of how many can
// be in progress at once.
std::size_t most_at_once(const RunsBefore& before, const std::vector<Outlook>& outlooks) {
  std::vector<std::size_t> depth(before.size(), 0);
  std::map<std::size_t, std::size_t> runs_of_depth;
  // Runs of a seed are in the order of the file, so that a run may come before one that it needs.
  for (std::size_t changes = 1; changes > 0;) {
    changes = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      for (const std::size_t first : before[i])
        if (depth[i] <= depth[first]) {
          depth[i] = depth[first] + 1;
          ++changes;
        }
  }
  std::size_t most = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (outlooks[i].to_run()) most = std::max(most, ++runs_of_depth[depth[i]]);
  return most;
}

// The fewest threads that make as few rounds as `most` threads.
std::size_t useful_threads(std::int64_t shards, std::size_t most) {
  return shard_rounds(shards, shard_rounds(shards, most));
}

}  // namespace

std::size_t shard_rounds(std::int64_t shards, std::size_t threads) {
  return (static_cast<std::size_t>(shards) + threads - 1) / threads;
}

RunsBefore runs_before(const Plan& plan, const std::vector<Outlook>& outlooks) {
  std::map<std::filesystem::path, std::size_t> to_run;
  for (std::size_t i = 0; i < outlooks.size(); ++i)
    if (outlooks[i].to_run()) to_run[outlooks[i].run.dir] = i;
  RunsBefore before(outlooks.size());
  for (std::size_t i = 0; i < outlooks.size(); ++i)
    for (const std::filesystem::path& folder : plan.needed_by(outlooks[i].run))
      if (const auto first = to_run.find(folder); first != to_run.end() && outlooks[i].to_run())
        before[i].push_back(first->second);
  return before;
}

CoreShare share_cores(std::size_t cores,
                      const CoreShare& asked,
                      const Experiment& experiment,
                      const Plan& plan,
                      const std::vector<Outlook>& outlooks) {
  CoreShare share = asked;
  if (share.threads == 0) {
    std::size_t at_once = most_at_once(runs_before(plan, outlooks), outlooks);
    if (asked.slots > 0) at_once = std::min(at_once, asked.slots);
    const std::size_t most = std::max<std::size_t>(1, cores / std::max<std::size_t>(1, at_once));
    share.threads = 1;
    for (const Outlook& o : outlooks)
      if (o.to_run())
        share.threads = std::max(
            share.threads, useful_threads(experiment.arms[o.run.arm].spec.train.shards, most));
  }
  if (share.slots == 0) share.slots = std::max<std::size_t>(1, cores / share.threads);
  return share;
}

double seconds_until_all_end(const std::vector<double>& seconds,
                             const RunsBefore& before,
                             std::size_t slots) {
  std::vector<std::size_t> queued;  // in their order
  for (std::size_t i = 0; i < seconds.size(); ++i)
    if (seconds[i] > 0) queued.push_back(i);
  std::vector<bool> open(seconds.size());
  for (const std::size_t i : queued) open[i] = true;
  std::priority_queue<std::pair<double, std::size_t>, std::vector<std::pair<double, std::size_t>>,
                      std::greater<>>
      running;  // when each ends
  double now = 0;
  do {
    std::erase_if(queued, [&](std::size_t i) {
      const bool ready =
          running.size() < slots && std::none_of(before[i].begin(), before[i].end(),
                                                 [&](std::size_t first) { return open[first]; });
      if (ready) running.emplace(now + seconds[i], i);
      return ready;
    });
    if (running.empty()) break;
    now = running.top().first;
    open[running.top().second] = false;
    running.pop();
  } while (true);
  return now;
}

}  // namespace bitlab
