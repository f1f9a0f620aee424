#include "report/judged_runs.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"

namespace bitlab {

namespace {

// "negative,positive" of the file's attributes.
std::vector<std::string> names_of(const std::map<std::string, std::string>& attributes) {
  std::vector<std::string> names;
  const auto found = attributes.find("labels");
  if (found == attributes.end()) return names;
  for (std::size_t begin = 0; begin <= found->second.size();) {
    const std::size_t end = std::min(found->second.find(',', begin), found->second.size());
    names.push_back(found->second.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

std::size_t JudgedRun::label_count() const {
  std::size_t count = labels.size();
  for (const PredictionRow& row : predictions)
    count = std::max({count, static_cast<std::size_t>(row.label) + 1,
                      static_cast<std::size_t>(row.predicted) + 1});
  return count;
}

std::string JudgedRun::label_name(std::size_t label) const {
  return label < labels.size() ? labels[label] : "label " + std::to_string(label);
}

std::vector<JudgedRun> judged_runs(const Results& results) {
  std::vector<JudgedRun> all;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      if (!run.done() || !run.accuracy || run.dir.empty()) continue;
      try {
        RunMetrics metrics = read_metrics(run.dir / "metrics.h5");
        if (metrics.predictions.empty()) continue;
        all.push_back({&arm, &run, std::move(metrics.predictions), names_of(metrics.attributes)});
      } catch (const Error&) {
        // Damage is told where states are.
      }
    }
  return all;
}

const JudgedRun* baseline_of(const std::vector<JudgedRun>& all,
                             const JudgedRun& run,
                             const std::string& baseline) {
  if (run.arm->name == baseline) return nullptr;
  for (const JudgedRun& other : all)
    if (other.arm->name == baseline && other.run->seed == run.run->seed) return &other;
  return nullptr;
}

}  // namespace bitlab
