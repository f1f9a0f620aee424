#include "experiments/status_screen.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <ostream>

namespace bitlab {

namespace {

constexpr std::size_t kLogLines = 10;
constexpr std::uintmax_t kLogBytes = 8192;  // of a log's end that are looked at

const char* phase_name(RunPhase phase) {
  switch (phase) {
    case RunPhase::Queued:
      return "queued";
    case RunPhase::Running:
      return "running";
    case RunPhase::Elsewhere:
      return "elsewhere";
    case RunPhase::Done:
      return "done";
    case RunPhase::Failed:
      return "FAILED";
    case RunPhase::Interrupted:
      return "interrupted";
    case RunPhase::Pruned:
      return "pruned";
  }
  return "";
}

std::string number_or_dash(double x, const char* format) {
  return std::isfinite(x) ? fmt::format(fmt::runtime(format), x) : "-";
}

std::string speed(double tokens_per_s) {
  if (!std::isfinite(tokens_per_s) || tokens_per_s <= 0) return "-";
  if (tokens_per_s >= 1e6) return fmt::format("{:.2f}M", tokens_per_s / 1e6);
  return tokens_per_s >= 1e3 ? fmt::format("{:.1f}k", tokens_per_s / 1e3)
                             : fmt::format("{:.0f}", tokens_per_s);
}

// "42 s", "3:05 min", "2:07 h"
std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  const auto s = static_cast<std::int64_t>(std::llround(seconds));
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02} min", s / 60, s % 60);
  return fmt::format("{}:{:02} h", s / 3600, s % 3600 / 60);
}

// Unknown before the first speed.
std::string time_left(const RunProgress& p) {
  return p.tokens_per_s > 0 ? duration(p.eta_seconds) : "-";
}

double percent(const RunProgress& p) {
  return p.steps > 0 ? 100.0 * static_cast<double>(p.step) / static_cast<double>(p.steps) : 0;
}

std::string name(const RunView& run) {
  return fmt::format("{} seed {}", run.job.arm, run.job.seed);
}

std::string measures(const RunProgress& p) {
  return fmt::format("step {}/{} {:.0f} % | loss {} | val {} | {} tok/s | eta {}", p.step, p.steps,
                     percent(p), number_or_dash(p.loss, "{:.4f}"),
                     number_or_dash(p.val_loss, "{:.4f}"), speed(p.tokens_per_s), time_left(p));
}

// Cuts a line so that the terminal does not wrap it.
std::string cut(const std::string& line, std::size_t columns) {
  return line.size() <= columns ? line : line.substr(0, columns);
}

bool shown_live(const RunView& run) {
  return run.phase == RunPhase::Running || run.phase == RunPhase::Elsewhere;
}

}  // namespace

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::string status_line(const RunView& run, std::size_t name_width) {
  std::string line = fmt::format("{:<{}}  {:>4}  {:<11}", run.job.arm, name_width, run.job.seed,
                                 phase_name(run.phase));
  if (run.phase == RunPhase::Failed || run.phase == RunPhase::Interrupted ||
      run.phase == RunPhase::Pruned)
    return line + "  " + run.reason.substr(0, run.reason.find('\n'));
  if (!run.progress) return line;
  const RunProgress& p = *run.progress;
  const std::string eta = run.phase == RunPhase::Done ? "" : time_left(p);
  return line + fmt::format("  {:>13}  {:>5.1f}%  {:>7}  {:>7}  {:>7}  {:>9}",
                            fmt::format("{}/{}", p.step, p.steps), percent(p),
                            number_or_dash(p.loss, "{:.4f}"), number_or_dash(p.val_loss, "{:.4f}"),
                            speed(p.tokens_per_s), eta);
}

std::string last_lines(const std::filesystem::path& path, std::size_t count) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const auto size = static_cast<std::uintmax_t>(in.tellg());
  in.seekg(static_cast<std::streamoff>(size - std::min(size, kLogBytes)));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::string text;
  for (std::size_t i = lines.size() - std::min(count, lines.size()); i < lines.size(); ++i)
    text += lines[i] + "\n";
  return text;
}

void StatusScreen::on_begin(const std::vector<RunView>& runs, std::size_t slots) {
  std::size_t done = 0, resumed = 0, failed = 0, elsewhere = 0, pruned = 0;
  for (const RunView& run : runs) {
    name_width_ = std::max(name_width_, run.job.arm.size());
    done += run.phase == RunPhase::Done;
    failed += run.phase == RunPhase::Failed;
    pruned += run.phase == RunPhase::Pruned;
    elsewhere += run.phase == RunPhase::Elsewhere;
    resumed += run.phase == RunPhase::Queued && run.status.step > 0;
  }
  std::string text = fmt::format("{} run{}", runs.size(), runs.size() == 1 ? "" : "s");
  if (done > 0) text += fmt::format(", {} done before", done);
  if (resumed > 0) text += fmt::format(", {} to be resumed", resumed);
  if (failed > 0) text += fmt::format(", {} failed before (--retry-failed tries again)", failed);
  if (pruned > 0) text += fmt::format(", {} pruned before", pruned);
  if (elsewhere > 0) text += fmt::format(", {} running in another process", elsewhere);
  if (done + failed + pruned < runs.size())
    text += fmt::format("; {} at once", std::min(slots, runs.size()));
  event(text);
}

void StatusScreen::on_change(const RunView& run) {
  switch (run.phase) {
    case RunPhase::Queued:
      return event(name(run) + ": queued");
    case RunPhase::Elsewhere:
      return event(name(run) + ": runs in another process, waiting for it");
    case RunPhase::Interrupted:
      return event(name(run) + ": interrupted, " + run.reason);
    case RunPhase::Pruned:
      return event(name(run) + ": " + run.reason);
    case RunPhase::Running:
      if (live()) return;
      return event(name(run) + (run.status.step > 0
                                    ? fmt::format(": resumed at step {}", run.status.step)
                                    : std::string(": started")));
    case RunPhase::Done: {
      const double val = run.progress ? run.progress->val_loss : std::nan("");
      return event(fmt::format("{}: done in {}, val {}", name(run),
                               duration(run.status.wall_seconds), number_or_dash(val, "{:.4f}")));
    }
    case RunPhase::Failed: {
      const std::filesystem::path log = run.job.dir / "log.txt";
      std::string text =
          fmt::format("{}: FAILED{}: {}", name(run), run.earlier ? " before" : "", run.reason);
      if (live()) text = "\x1b[31m" + text + "\x1b[0m";
      text += "\n  " + log.string();
      const std::string tail = last_lines(log, kLogLines);
      for (std::size_t begin = 0; begin < tail.size();) {
        const std::size_t end = tail.find('\n', begin);
        text += "\n  | " + tail.substr(begin, end - begin);
        begin = end + 1;
      }
      return event(text);
    }
  }
}

void StatusScreen::on_tick(const std::vector<RunView>& runs) {
  if (live()) return draw(runs);
  for (const RunView& run : runs) {
    if (!shown_live(run) || !run.progress || run.progress->step == 0) continue;
    const int tenth = static_cast<int>(percent(*run.progress) / 10);
    const auto [told, first] = tenths_.try_emplace(run.job.dir.string(), tenth);
    if (first || tenth <= told->second) continue;
    told->second = tenth;
    event(name(run) + ": " + measures(*run.progress));
  }
}

void StatusScreen::on_stop(int signal, bool at_once) {
  if (at_once) return event("ending the workers at once; the last checkpoints stay");
  if (signal == 0) return event("stopping (--fail-fast): the other workers save their state");
  event(fmt::format("stopping ({}): the workers save their state; once more ends them at once",
                    signal == SIGINT ? "Ctrl-C" : fmt::format("signal {}", signal)));
}

void StatusScreen::on_end(const std::vector<RunView>& /*runs*/) {
  erase();
  out_ << std::flush;
}

void StatusScreen::event(const std::string& text) {
  erase();
  out_ << text << "\n" << std::flush;
}

void StatusScreen::erase() {
  if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "A\r\x1b[J";
  drawn_ = 0;
}

void StatusScreen::draw(const std::vector<RunView>& runs) {
  const TerminalSize size = terminal_size(terminal_fd_);
  // What does not fit is left out, first what moves least.
  const bool all = runs.size() + 2 < size.rows;
  const std::size_t room = size.rows > 3 ? size.rows - 3 : 1;
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{:<{}}  {:>4}  {:<11}  {:>13}  {:>6}  {:>7}  {:>7}  {:>7}  {:>9}",
                              "arm", name_width_, "seed", "state", "step", "%", "loss", "val",
                              "tok/s", "eta"));
  for (const RunView& run : runs)
    if ((all || shown_live(run)) && lines.size() < room)
      lines.push_back(status_line(run, name_width_));
  std::string text;
  for (const std::string& line : lines) text += cut(line, size.columns - 1) + "\n";
  erase();
  out_ << text << std::flush;
  drawn_ = lines.size();
}

}  // namespace bitlab
