#include "core/base/thread_team.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

struct ThreadTeam::Impl {
  std::mutex mutex;
  std::condition_variable work, idle;
  const std::function<void(std::size_t)>* task = nullptr;
  std::size_t count = 0;
  std::atomic<std::size_t> next{0};
  std::size_t busy = 0;  // helpers still in the current round
  std::uint64_t round = 0;
  bool stop = false;
  std::exception_ptr failure;
  std::vector<std::thread> helpers;

  void take_tasks() {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        (*task)(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  }

  void end() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    work.notify_all();
    for (std::thread& helper : helpers) helper.join();
  }

  void help() {
    for (std::uint64_t seen = 0;;) {
      {
        std::unique_lock lock(mutex);
        work.wait(lock, [&] { return stop || round != seen; });
        if (stop) return;
        seen = round;
      }
      take_tasks();
      const std::lock_guard lock(mutex);
      if (--busy == 0) idle.notify_one();
    }
  }
};

ThreadTeam::ThreadTeam(std::size_t threads, const std::atomic<int>* stop)
    : impl_(std::make_unique<Impl>()), stop_(stop) {
  try {
    for (std::size_t i = 1; i < threads; ++i)
      impl_->helpers.emplace_back([this] { impl_->help(); });
  } catch (const std::system_error& e) {
    const std::size_t started = size();
    impl_->end();
    throw Error("threads", std::to_string(threads) + " cannot be started, but " +
                               std::to_string(started) + ": " + e.what());
  }
}

ThreadTeam::~ThreadTeam() { impl_->end(); }

std::size_t ThreadTeam::size() const { return impl_->helpers.size() + 1; }

void ThreadTeam::run_all(std::size_t count, const std::function<void(std::size_t)>& task) {
  Impl& team = *impl_;
  {
    const std::lock_guard lock(team.mutex);
    team.task = &task;
    team.count = count;
    team.next = 0;
    team.failure = nullptr;
    team.busy = team.helpers.size();
    ++team.round;
  }
  if (!team.helpers.empty()) team.work.notify_all();
  team.take_tasks();
  std::unique_lock lock(team.mutex);
  team.idle.wait(lock, [&] { return team.busy == 0; });
  if (team.failure) std::rethrow_exception(team.failure);
}

}  // namespace bitlab
