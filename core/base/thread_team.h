#pragma once
// A fixed team of threads that runs the shards of a step. Who computes a shard never changes its
// result.
#include <cstddef>
#include <functional>
#include <memory>

namespace bitlab {

class ThreadTeam {
 public:
  explicit ThreadTeam(std::size_t threads);  // the caller is one of them; 1 starts no thread
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  std::size_t size() const;

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
};

}  // namespace bitlab
