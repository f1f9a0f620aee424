#include "report/figure.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

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

// Ours, with a time zone and a language that do not depend on who draws.
std::vector<std::string> child_environment() {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string variable = *at;
    if (!variable.starts_with("TZ=") && !variable.starts_with("LC_") &&
        !variable.starts_with("LANG"))
      variables.push_back(variable);
  }
  variables.emplace_back("TZ=UTC0");
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

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
  std::vector<std::string> variables = child_environment();
  std::vector<char*> pointers;
  for (std::string& variable : variables) pointers.push_back(variable.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int code =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    throw Error("figure",
                program + " must be installed to draw figures, but: " + std::strerror(code),
                "on Debian and Ubuntu: apt-get install gnuplot-nox fonts-dejavu-core");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail(program + " cannot be waited for", errno);
  return status;
}

std::string terminal(const Figure& figure, ImageFormat format) {
  if (format == ImageFormat::Svg)
    return fmt::format(
        "set terminal svg noenhanced size {},{} font 'DejaVu Sans,12' background '#ffffff'\n",
        figure.width, figure.height);
  // Of cairo's terminals fonts are a third larger than their size says, lines in PDF half as wide.
  if (format == ImageFormat::Pdf)
    return fmt::format(
        "set terminal pdfcairo noenhanced size {:.4f}in,{:.4f}in font 'DejaVu Sans,12' "
        "fontscale {} linewidth {} dashlength 1.6 pointscale {} background '#ffffff'\n",
        figure.width * kPdfScale / 72, figure.height * kPdfScale / 72, kPdfScale * 0.75,
        kPdfScale * 2, kPdfScale * 1.5);
  return fmt::format(
      "set terminal pngcairo noenhanced size {},{} font 'DejaVu Sans,12' fontscale {} linewidth {} "
      "dashlength 1.7 pointscale {} background '#ffffff'\n",
      figure.width * kPngScale, figure.height * kPngScale, kPngScale * 0.75, kPngScale, kPngScale);
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

// cairo writes the time of drawing; a date of the same length keeps the file's offsets right.
std::string without_date(std::string pdf) {
  const std::string key = "/CreationDate (D:", date = "20000101000000";
  const std::size_t at = pdf.find(key);
  if (at != std::string::npos && at + key.size() + date.size() <= pdf.size())
    pdf.replace(at + key.size(), date.size(), date);
  return pdf;
}

}  // namespace

std::string draw(const Figure& figure, ImageFormat format, const std::string& program) {
  MemoryFile in("script"), out("image"), err("messages");
  in.write("set encoding utf8\n" + terminal(figure, format) + figure.script);
  const int status = run_program(program, in, out, err);
  std::string image = out.read();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || image.empty())
    throw Error("figure", program + " must draw the figure, but failed: " + err.read());
  if (format == ImageFormat::Svg) return with_css_fonts(std::move(image));
  return format == ImageFormat::Pdf ? without_date(std::move(image)) : image;
}

ImageFormat parse_image_format(const std::string& name) {
  if (name == "svg") return ImageFormat::Svg;
  if (name == "png") return ImageFormat::Png;
  if (name == "pdf") return ImageFormat::Pdf;
  throw UsageError("figure", "format must be svg, png or pdf, but got '" + name + "'");
}

std::string ramp_colour(double t) {
  // viridis at 0, 1/8 ... 1.
  constexpr std::array<int, 9> kAnchors = {0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c,
                                           0x28ae80, 0x5ec962, 0xaddc30, 0xfde725};
  const double place = std::clamp(std::isfinite(t) ? t : 0.0, 0.0, 1.0) * 8;
  const auto i = std::min<std::size_t>(static_cast<std::size_t>(place), 7);
  int colour = 0;
  for (const int shift : {16, 8, 0}) {
    const int a = kAnchors[i] >> shift & 255, b = kAnchors[i + 1] >> shift & 255;
    colour = colour << 8 |
             static_cast<int>(std::lround(std::lerp(a, b, place - static_cast<double>(i))));
  }
  return fmt::format("#{:06x}", colour);
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
