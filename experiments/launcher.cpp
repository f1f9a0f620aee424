#include "experiments/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <thread>

#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/run_folder.h"

extern char** environ;

namespace bitlab {

namespace fs = std::filesystem;

namespace {

constexpr auto kLook = std::chrono::milliseconds(2);  // between two looks at the children

// An argument or environment list for exec.
class CStrings {
 public:
  explicit CStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
    for (std::string& s : strings_) pointers_.push_back(s.data());
    pointers_.push_back(nullptr);
  }
  char** get() { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

std::vector<std::string> worker_environment() {
  const std::string blas = "OPENBLAS_NUM_THREADS=";
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry)
    if (std::string(*entry).rfind(blas, 0) != 0) all.emplace_back(*entry);
  all.push_back(blas + "1");
  return all;
}

// The log of a run, open for the worker's output, with a line between attempts.
int open_log(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw Error(path.string(), std::string("cannot be opened: ") + std::strerror(errno));
  if (::lseek(fd, 0, SEEK_END) > 0) {
    const std::string line = "--- started again " + utc_now() + " ---\n";
    if (::write(fd, line.data(), line.size()) < 0) {
      const std::string why = std::strerror(errno);
      ::close(fd);
      throw Error(path.string(), "cannot be written: " + why);
    }
  }
  return fd;
}

// The child's side between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_worker(
    const char* program, char** args, char** environment, int log, int failure, pid_t parent) {
  ::setpgid(0, 0);
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(128 + SIGTERM);  // it died before prctl
#else
  (void)parent;
#endif
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) ::signal(number, SIG_DFL);
  ::execve(program, args, environment);
  const int error = errno;
  (void)!::write(failure, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

LocalLauncher::~LocalLauncher() {
  stop(false);
  while (!pids_.empty()) poll(std::chrono::milliseconds(100));
}

void LocalLauncher::start(std::size_t id, const RunJob& job) {
  fs::create_directories(job.dir);
  CStrings args({"bitlab", "worker", "--run", job.dir.string(), "--experiment", job.experiment,
                 "--arm", job.arm, "--seed", std::to_string(job.seed), "--threads",
                 std::to_string(options_.share.threads)});
  CStrings environment(worker_environment());
  const int log = open_log(job.dir / "log.txt");
  int failure[2];  // closed by a successful exec, else the child writes errno there
  if (::pipe(failure) != 0) {
    ::close(log);
    throw Error("launcher", std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  for (const int fd : failure) ::fcntl(fd, F_SETFD, FD_CLOEXEC);

  // A parent that ignores its children's ends leaves that to us, and poll() would never see one.
  ::signal(SIGCHLD, SIG_DFL);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0)
    become_worker(options_.program.c_str(), args.get(), environment.get(), log, failure[1], parent);
  int error = pid < 0 ? errno : 0;
  ::close(log);
  ::close(failure[1]);
  if (pid > 0 && ::read(failure[0], &error, sizeof error) > 0) ::waitpid(pid, nullptr, 0);
  ::close(failure[0]);
  if (error != 0)
    throw Error("launcher",
                options_.program.string() + " cannot be started: " + std::strerror(error));
  pids_[id] = pid;
}

std::vector<RunExit> LocalLauncher::poll(std::chrono::milliseconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  std::vector<RunExit> exits;
  while (true) {
    for (auto it = pids_.begin(); it != pids_.end();) {
      int status = 0;
      if (::waitpid(it->second, &status, WNOHANG) != it->second) {
        ++it;
        continue;
      }
      const bool killed = WIFSIGNALED(status);
      exits.push_back({it->first, killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status), killed});
      it = pids_.erase(it);
    }
    const auto now = std::chrono::steady_clock::now();
    if (!exits.empty() || now >= end) return exits;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kLook, end - now));
  }
}

void LocalLauncher::stop_run(std::size_t id, bool at_once) {
  const auto running = pids_.find(id);
  if (running != pids_.end()) ::kill(running->second, at_once ? SIGKILL : SIGTERM);
}

void LocalLauncher::stop(bool at_once) {
  for (const auto& [id, pid] : pids_) ::kill(pid, at_once ? SIGKILL : SIGTERM);
}

bool LocalLauncher::claimed(const RunJob& job) const { return RunLock::held(job.dir); }

std::size_t available_cores() {
  double cores = std::max(1u, std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t mine;
  if (::sched_getaffinity(0, sizeof mine, &mine) == 0) cores = CPU_COUNT(&mine);
  std::ifstream quota("/sys/fs/cgroup/cpu.max");  // "max 100000" or "150000 100000"
  double used = 0, period = 0;
  if (quota >> used >> period && period > 0) cores = std::min(cores, std::ceil(used / period));
#endif
  return static_cast<std::size_t>(std::max(1.0, cores));
}

}  // namespace bitlab
