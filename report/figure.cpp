#include "report/figure.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.h"

extern char** environ;

namespace bitlab {

namespace {

[[noreturn]] void fail(const std::string& what, int code) {
  throw Error("figure", what + ": " + std::strerror(code));
}

// A file in memory: no pipe can block on it, and nothing is left behind however the program ends.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : fd_(::memfd_create(name, MFD_CLOEXEC)) {
    if (fd_ < 0) fail("memory file cannot be created", errno);
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }

  void write(const std::string& content) {
    for (std::size_t done = 0; done < content.size();) {
      const ssize_t n = ::write(fd_, content.data() + done, content.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("memory file cannot be written", errno);
      done += static_cast<std::size_t>(n);
    }
    ::lseek(fd_, 0, SEEK_SET);
  }

  std::string read() const {
    std::string content(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    std::size_t done = 0;
    while (done < content.size()) {
      const ssize_t n =
          ::pread(fd_, content.data() + done, content.size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail("memory file cannot be read", errno);
      done += static_cast<std::size_t>(n);
    }
    return content;
  }

 private:
  int fd_;
};

// Starts `program` on the three files and waits for it; returns its wait status.
int run_program(const std::string& program,
                const MemoryFile& in,
                const MemoryFile& out,
                const MemoryFile& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.fd(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
  std::string name = program, option = "--default-settings";
  char* arguments[] = {name.data(), option.data(), nullptr};
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    throw Error("figure",
                program + " must be installed to draw curves, but: " + std::strerror(code),
                "on Debian and Ubuntu: apt-get install gnuplot-nox fonts-dejavu-core");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail(program + " cannot be waited for", errno);
  return status;
}

std::string terminal(ImageFormat format) {
  if (format == ImageFormat::Svg)
    return fmt::format(
        "set terminal svg noenhanced size {},{} font 'DejaVu Sans,12' background '#ffffff'\n",
        kFigureWidth, kFigureHeight);
  return fmt::format(
      "set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,12' fontscale {} linewidth {} "
      "dashlength 1.7 background '#ffffff'\n",
      kFigureWidth * kPngScale, kFigureHeight * kPngScale, kPngScale * 0.75, kPngScale);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// gnuplot 5 takes ":Bold" for a part of the family's name. Readers without DejaVu Sans get a font
// of the same widths, where there is one.
std::string with_css_fonts(std::string svg) {
  replace_all(svg, "font-family=\"DejaVu Sans:Bold\"",
              "font-family=\"DejaVu Sans\" font-weight=\"bold\"");
  replace_all(svg, "font-family=\"DejaVu Sans\"",
              "font-family=\"DejaVu Sans, Verdana, sans-serif\"");
  return svg;
}

}  // namespace

std::string draw(const std::string& script, ImageFormat format, const std::string& program) {
  MemoryFile in("script"), out("image"), err("messages");
  in.write("set encoding utf8\n" + terminal(format) + script);
  const int status = run_program(program, in, out, err);
  std::string image = out.read();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || image.empty())
    throw Error("figure", program + " must draw the curves, but failed: " + err.read());
  return format == ImageFormat::Svg ? with_css_fonts(std::move(image)) : image;
}

std::string gnuplot_quoted(const std::string& text) {
  // In single quotes gnuplot takes every character as it is; a quote is doubled, a line break would
  // end it.
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "''";
    else
      out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + "'";
}

}  // namespace bitlab
