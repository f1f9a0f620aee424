#pragma once
// How runs stand, for people: on a terminal one line a run, redrawn in place; elsewhere a plain
// line an event and about one per tenth of a run.
#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "experiments/scheduler.h"

namespace bitlab {

struct TerminalSize {
  std::size_t columns = 80, rows = 24;
};

// The size of the terminal on file descriptor `fd`; 80 x 24 if it does not say.
TerminalSize terminal_size(int fd);

class StatusScreen : public ScheduleObserver {
 public:
  // terminal_fd: the terminal that `out` writes to, or -1 for plain lines.
  StatusScreen(std::ostream& out, int terminal_fd) : out_(out), terminal_fd_(terminal_fd) {}

  void on_begin(const std::vector<RunView>& runs, std::size_t slots) override;
  void on_change(const RunView& run) override;
  void on_tick(const std::vector<RunView>& runs) override;
  void on_stop(int signal, bool at_once) override;
  void on_end(const std::vector<RunView>& runs) override;

 private:
  bool live() const { return terminal_fd_ >= 0; }
  void event(const std::string& text);  // a line that stays, above the live lines
  void erase();                         // the live lines
  void draw(const std::vector<RunView>& runs);

  std::ostream& out_;
  int terminal_fd_;
  std::size_t drawn_ = 0;  // live lines on the screen
  std::size_t name_width_ = 0;
  std::map<std::string, int> tenths_;  // the last one told, by run folder
};

// The live line of one run: arm, seed, state, step, %, loss, val, tok/s, eta.
std::string status_line(const RunView& run, std::size_t name_width);

// The last `count` lines of a file, each with a newline; empty if it cannot be read.
std::string last_lines(const std::filesystem::path& path, std::size_t count);

}  // namespace bitlab
