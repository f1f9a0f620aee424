#include "cli/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/format.h"

namespace bitlab {

namespace {

// In the order of Fate.
constexpr std::array<const char*, 8> kCounted = {
    "new",  "to resume", "to retry", "to redo",
    "done", "failed",    "pruned",   "running in another process"};

std::string counts_text(const std::vector<Outlook>& outlooks) {
  std::array<std::size_t, kCounted.size()> counts{};
  for (const Outlook& o : outlooks) ++counts[static_cast<std::size_t>(o.fate)];
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[i], kCounted[i]);
  return text;
}

std::string run_id(const PlannedArm& arm, const PlannedRun& run) {
  return fmt::format("{}-{}", arm.hash, run.seed);
}

// ", after full": the arms of runs that come first.
std::string after_text(const Plan& plan,
                       const std::vector<Outlook>& outlooks,
                       const std::vector<std::size_t>& before) {
  std::string text;
  for (const std::size_t first : before)
    text += (text.empty() ? ", after " : " and ") + plan.arms[outlooks[first].run.arm].name;
  return text;
}

}  // namespace

std::string dry_run_page(const Plan& plan,
                         const std::vector<Outlook>& outlooks,
                         const TimeEstimate& time,
                         const CoreShare& share) {
  std::size_t id_width = 3, arm_width = 3;
  for (const Outlook& o : outlooks) {
    const PlannedArm& arm = plan.arms[o.run.arm];
    id_width = std::max(id_width, run_id(arm, o.run).size());
    arm_width = std::max(arm_width, arm.name.size());
  }
  const auto line = [&](const std::string& id, const std::string& arm, const auto& seed,
                        const std::string& about, const std::string& what) {
    return fmt::format("{:<{}}  {:<{}}  {:>4}  {:>10}  {}\n", id, id_width, arm, arm_width, seed,
                       about, what);
  };
  std::string page = line("run", "arm", "seed", "about", "what happens");
  const RunsBefore before = runs_before(plan, outlooks);
  std::size_t to_run = 0;
  for (std::size_t i = 0; i < outlooks.size(); ++i) {
    const Outlook& o = outlooks[i];
    const PlannedArm& arm = plan.arms[o.run.arm];
    to_run += o.to_run();
    page += line(run_id(arm, o.run), arm.name, o.run.seed,
                 o.to_run() ? format_duration(time.seconds[i]) : "-",
                 describe(o) + after_text(plan, outlooks, before[i]));
  }
  page += fmt::format("\n{} run{}: {}", outlooks.size(), outlooks.size() == 1 ? "" : "s",
                      counts_text(outlooks));
  if (to_run > 0)
    page += fmt::format("; about {} with {} at once{}, by {}", format_duration(time.total),
                        std::min(share.slots, to_run),
                        share.threads > 1 ? fmt::format(" of {} threads", share.threads) : "",
                        fmt::join(time.sources, ", and by "));
  return page + "\n";
}

}  // namespace bitlab
