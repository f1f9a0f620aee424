#pragma once
// A fixed team of threads that runs the shards of a step. Who computes a shard never changes its
// result.
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace bitlab {

// Thrown out of work that was given up since a stop was asked for. Not a std::exception: who
// handles failures must not take it for one.
struct Stopped {};

class ThreadTeam {
 public:
  // The caller is one of the threads; 1 starts none. `stop`: not 0 once a stop is asked for.
  explicit ThreadTeam(std::size_t threads, const std::atomic<int>* stop = nullptr);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const;

  // For long work that can be done anew, between its parts: throws Stopped if a stop is asked for.
  void give_up_if_stopped() const {
    if (stop_ != nullptr && stop_->load() != 0) throw Stopped();
  }

  // Runs task(0) .. task(count - 1), each once, and returns when all are done. The first exception
  // that a task threw is thrown here, after the rest ended.
  template <class Task>
  void run(std::size_t count, const Task& task) {
    run_all(count,
            std::cref(task));  // by reference: a std::function that holds a copy would allocate
  }

 private:
  void run_all(std::size_t count, const std::function<void(std::size_t)>& task);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  const std::atomic<int>* stop_;
};

}  // namespace bitlab
