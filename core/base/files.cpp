#include "core/base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/base/error.h"
#include "core/base/temporaries.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  const int code = errno;
  throw Obstacle(path.string(), what + ": " + std::strerror(code),
                 code == ENOSPC ? "free some disk space and run the same command again" : "");
}

// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Writes a temporary beside `path`, of this thread alone, so that writers of one file cannot take
// each other's. Leaves nothing behind when it throws.
fs::path write_temporary(const fs::path& path, std::string_view content, bool sync) {
  std::error_code error;
  fs::create_directories(folder_of(path), error);
  if (error) throw Obstacle(folder_of(path).string(), "cannot be created: " + error.message());
  const fs::path temporary =
      path.string() + ".tmp" + std::to_string(::getpid()) + "-" +
      std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id()));
  try {
    Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) fail(temporary, "cannot be created");
    for (size_t done = 0; done < content.size();) {
      const ssize_t n = ::write(file.fd, content.data() + done, content.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(temporary, "cannot be written");
      done += static_cast<size_t>(n);
    }
    if (sync && ::fsync(file.fd) != 0) fail(temporary, "cannot be forced to disk");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  return temporary;
}

void rename_over(const fs::path& temporary, const fs::path& path) {
  if (::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int code = errno;
  ::unlink(temporary.c_str());
  errno = code;
  fail(path, "cannot be replaced");
}

// Forces all that was written on the file system of `path` to disk.
void sync_disk_of(const fs::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0 || ::syncfs(file.fd) != 0) fail(path, "cannot be forced to disk");
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot be opened for reading");
  if (in.peek(); in.bad()) fail(path, "cannot be read");  // a folder opens, but cannot be read
  std::ostringstream content;
  content << in.rdbuf();
  if (in.bad()) fail(path, "cannot be read");
  return std::move(content).str();
}

void sync_path(const fs::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0 || ::fsync(file.fd) != 0) fail(path, "cannot be forced to disk");
}

void write_file_atomic(const fs::path& path, std::string_view content) {
  const fs::path temporary = write_temporary(path, content, /*sync=*/true);
  rename_over(temporary, path);
  sync_path(folder_of(path));
}

void write_files_atomic(const std::vector<FileToWrite>& files) {
  if (files.empty()) return;
  std::vector<fs::path> temporaries;
  try {
    for (const FileToWrite& file : files)
      temporaries.push_back(write_temporary(file.path, file.content, /*sync=*/false));
    sync_disk_of(temporaries.front());
    for (std::size_t i = 0; i < files.size(); ++i) rename_over(temporaries[i], files[i].path);
  } catch (...) {
    for (const fs::path& temporary : temporaries) ::unlink(temporary.c_str());
    throw;
  }
  sync_disk_of(files.front().path);
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code no_links;
  fs::create_hard_link(from, to, no_links);
  if (no_links) fs::copy_file(from, to);
}

void require_new_folder(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  const auto holds_something = [&] {
    const std::vector<fs::path> entries(fs::directory_iterator(folder), {});
    return !std::all_of(entries.begin(), entries.end(), is_abandoned_temporary);
  };
  if (!fs::is_directory(folder) || holds_something())
    throw UsageError(folder.string(), "must not exist yet, or be an empty folder");
}

namespace {

// DONE last: with it the folder counts.
void move_entries(const fs::path& from, const fs::path& to) {
  for (const fs::path& entry : std::vector<fs::path>(fs::directory_iterator(from), {}))
    if (entry.filename() != "DONE") fs::rename(entry, to / entry.filename());
  sync_path(to);
  if (fs::exists(from / "DONE")) fs::rename(from / "DONE", to / "DONE");
  fs::remove(from);
  sync_path(to);
}

}  // namespace

void make_folder_atomic(const fs::path& folder,
                        const std::function<void(const fs::path& temporary)>& fill) {
  require_new_folder(folder);
  fs::path made = fs::absolute(folder).lexically_normal();
  if (!made.has_filename()) made = made.parent_path();
  const bool there = fs::exists(made);
  const std::string suffix = ".tmp" + std::to_string(::getpid());
  const fs::path temporary = there ? made / suffix : fs::path(made.string() + suffix);
  try {
    if (there)
      for (const fs::path& entry : std::vector<fs::path>(fs::directory_iterator(made), {}))
        fs::remove_all(entry);  // what a kill left behind
    fs::create_directories(temporary);
    fill(temporary);
    sync_disk_of(temporary);
    if (there) {
      move_entries(temporary, made);
    } else {
      fs::rename(temporary, made);
      sync_path(made.parent_path());
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (file.fd < 0) fail(path, "cannot be opened");
  char last = '\n';
  if (const off_t size = ::lseek(file.fd, 0, SEEK_END); size > 0)
    if (::pread(file.fd, &last, 1, size - 1) != 1) fail(path, "cannot be read");
  const std::string text = (last == '\n' ? "" : "\n") + std::string(line) + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file.fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot be written");
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(file.fd) != 0) fail(path, "cannot be forced to disk");
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace bitlab
