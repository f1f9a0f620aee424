#include "core/io/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// How an attempt ended. Only `retry` is worth another one.
struct Outcome {
  enum { done, retry, restart, hopeless } kind;
  std::string reason;
};

// The growing part of a file, locked against other processes.
class Part {
 public:
  explicit Part(const fs::path& path) : path_(path) {
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) {
      const std::string reason = std::strerror(errno);
      if (fd_ >= 0) ::close(fd_);
      throw Error(path.string(), "cannot be created: " + reason);
    }
  }
  ~Part() { ::close(fd_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  std::uint64_t size() const { return static_cast<std::uint64_t>(::lseek(fd_, 0, SEEK_END)); }
  void clear() {
    if (::ftruncate(fd_, 0) != 0)
      throw Error(path_.string(), std::string("cannot be emptied: ") + std::strerror(errno));
  }
  // Appends; false with errno set if the disk refuses.
  bool append(const char* data, std::size_t size) {
    ::lseek(fd_, 0, SEEK_END);
    while (size > 0) {
      const ssize_t n = ::write(fd_, data, size);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      data += n;
      size -= static_cast<std::size_t>(n);
    }
    return true;
  }
  // False if another process renamed or removed the file while this one waited for the lock.
  bool is_current() const {
    struct stat mine {
    }, named{};
    return ::fstat(fd_, &mine) == 0 && ::stat(path_.c_str(), &named) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
  }

 private:
  fs::path path_;
  int fd_ = -1;
};

struct Transfer {
  const Download& request;
  const DownloadProgress& progress;
  Part& part;
  CURL* curl;
  std::uint64_t start = 0;  // bytes that were there before
  int disk_error = 0;
  bool too_long = false;
};

std::size_t on_bytes(char* data, std::size_t, std::size_t size, void* context) {
  Transfer& t = *static_cast<Transfer*>(context);
  if (t.request.bytes > 0 && t.part.size() + size > t.request.bytes) {
    t.too_long = true;
    return 0;
  }
  if (!t.part.append(data, size)) {
    t.disk_error = errno;
    return 0;
  }
  return size;
}

int on_progress(void* context, curl_off_t, curl_off_t now, curl_off_t, curl_off_t) {
  const Transfer& t = *static_cast<Transfer*>(context);
  if (t.progress) t.progress(t.start + static_cast<std::uint64_t>(now), t.request.bytes);
  return 0;
}

void configure(CURL* curl, Transfer& transfer, char* error_text) {
  const Download& request = transfer.request;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "bitlab");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request.stall_seconds);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                   static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE));
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                   static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.start));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

Outcome judge_status(long status, bool resumed) {
  const std::string reason = "the server answers " + std::to_string(status);
  if (resumed && status == 416) return {Outcome::restart, reason};  // nothing there to go on with
  if (status == 408 || status == 429 || status >= 500) return {Outcome::retry, reason};
  return {Outcome::hopeless, reason};
}

Outcome attempt(const Download& request, const DownloadProgress& progress, Part& part) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) throw Error("download", "libcurl must be usable, but cannot be initialised");
  char text[CURL_ERROR_SIZE] = "";
  Transfer transfer{request, progress, part, curl.get(), part.size()};
  configure(curl.get(), transfer, text);
  const CURLcode code = curl_easy_perform(curl.get());
  const std::string reason = text[0] != '\0' ? text : curl_easy_strerror(code);
  if (transfer.disk_error != 0)
    throw Error(request.target.string(),
                std::string("cannot be written: ") + std::strerror(transfer.disk_error),
                "free some disk space and run the same command again");
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool resumed = transfer.start > 0;
  if (transfer.too_long)
    return {resumed ? Outcome::restart : Outcome::hopeless, "more bytes come than expected"};
  switch (code) {
    case CURLE_OK:
      return {Outcome::done, ""};
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_DOWNLOAD_RESUME:
      return {resumed ? Outcome::restart : Outcome::hopeless, reason};
    case CURLE_HTTP_RETURNED_ERROR:
      return judge_status(status, resumed);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_FILE_COULDNT_READ_FILE:
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Outcome::hopeless, reason};
    default:
      return {Outcome::retry, reason};
  }
}

// Fetches until the part has all its bytes. Throws Error when no attempt is left.
void fill(const Download& request, const DownloadProgress& progress, Part& part) {
  std::chrono::duration<double> pause(request.first_pause);
  std::string reason;
  for (int left = request.attempts; left > 0; --left) {
    const bool known = request.bytes > 0;
    if (known && part.size() == request.bytes) return;
    if (known && part.size() > request.bytes) part.clear();
    Outcome outcome = attempt(request, progress, part);
    if ((!known || part.size() == request.bytes) && outcome.kind == Outcome::done) return;
    if (outcome.kind == Outcome::hopeless)
      throw Error(request.url, "cannot be downloaded: " + outcome.reason);
    if (outcome.kind == Outcome::restart) part.clear();
    if (outcome.kind == Outcome::done)
      outcome.reason = "only " + std::to_string(part.size()) + " of " +
                       std::to_string(request.bytes) + " bytes came";
    reason = outcome.reason;
    if (left > 1) std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  throw Error(
      request.url,
      "cannot be downloaded: " + reason + " (" + std::to_string(request.attempts) + " attempts)",
      "check the network; running the same command again goes on where it stopped");
}

bool is_right(const fs::path& path, const Download& request) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  return !error && (request.bytes == 0 || size == request.bytes) &&
         sha256_file(path) == request.sha256;
}

}  // namespace

void download(const Download& request, const DownloadProgress& progress) {
  const fs::path part_path = request.target.string() + ".part";
  std::error_code error;
  fs::create_directories(request.target.parent_path(), error);
  if (error)
    throw Error(request.target.parent_path().string(), "cannot be created: " + error.message());
  curl_global_init(CURL_GLOBAL_DEFAULT);
  auto part = std::make_unique<Part>(part_path);
  while (!part->is_current()) {  // another process finished while this one waited
    if (is_right(request.target, request)) return;
    part = std::make_unique<Part>(part_path);
  }
  for (bool resumed = part->size() > 0;; resumed = false) {
    fill(request, progress, *part);
    if (is_right(part_path, request)) break;
    const std::string got = sha256_file(part_path);
    part->clear();
    if (resumed) continue;  // the old part may have been of another file
    fs::remove(part_path, error);
    throw Error(request.url, "must have sha256 " + request.sha256 + ", but has " + got,
                "the file at this address changed or was damaged on the way");
  }
  sync_path(part_path);
  fs::rename(part_path, request.target, error);
  if (error) throw Error(request.target.string(), "cannot be replaced: " + error.message());
  sync_path(request.target.parent_path());
}

}  // namespace bitlab
