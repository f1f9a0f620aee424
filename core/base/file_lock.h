#pragma once
// A lock on a file that lives exactly as long as its holder.
#include <filesystem>
#include <optional>

namespace bitlab {

// An open-file-description lock (fcntl): the system gives it back when the process ends, however it
// ends. Asking whether it is held does not take it, so watchers never get in a holder's way.
class FileLock {
 public:
  // Creates the file if need be, but not its folder. Empty if another living process holds it.
  // Throws Error if the file cannot be opened for writing.
  static std::optional<FileLock> try_take(const std::filesystem::path& path);
  // The same, but waits until it is free.
  static FileLock wait_for(const std::filesystem::path& path);
  // False if there is no such file, or it cannot be opened.
  static bool held(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace bitlab
