#pragma once
// The files of one run that say how it stands (docs/run-folder.md). Every change is atomic:
// temporary, fsync, rename; progress alone is renamed without fsync, as it may be lost.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/file_lock.h"

namespace bitlab {

// Pruned: ended early by a rule of the sweep, not to be gone on with.
enum class RunState { Queued, Running, Done, Failed, Interrupted, Pruned };

std::string to_string(RunState state);

struct RunStatus {
  RunState state = RunState::Queued;
  std::int64_t step = 0;  // of the last checkpoint, or the last step when done
  std::int64_t steps = 0;
  std::int64_t attempt = 0;  // 1 for the first start
  std::int64_t pid = 0;
  std::string host, started, ended;  // UTC, ISO 8601; empty if not yet
  std::string reason;                // why it failed or was interrupted: "diverged at step 120"
  double train_seconds = 0;          // in training steps, all attempts
  double wall_seconds = 0;           // in workers, all attempts
  double tokens_per_s = 0;           // over train_seconds
  // Losses in nats a token, so that many runs can be compared without opening their metrics; empty
  // where nothing was measured. Defined as in report/results.h.
  std::optional<double> val_loss, val_loss_best, train_loss;
  std::optional<double> accuracy, f1;  // of texts that are classified, at the last evaluation
  std::int64_t bytes_full = 0;         // of the final model.safetensors
  std::int64_t bytes_packed = 0;       // of packed.safetensors
  std::string imported;  // the format that the model was imported from; then it has no
                         // losses. Empty: trained here
};

// How far a running worker is, a few times a second.
struct RunProgress {
  std::int64_t step = 0, steps = 0;
  double loss = 0;      // NaN before the first
  double val_loss = 0;  // the last one, NaN before the first
  double tokens_per_s = 0;
  double eta_seconds = 0;
};

// The lock of a living worker on RUN/lock.
class RunLock : public FileLock {
 public:
  // Empty if another living process holds it. Throws Error if the folder cannot be written.
  static std::optional<RunLock> try_take(const std::filesystem::path& run_dir);
  static bool held(const std::filesystem::path& run_dir);

 private:
  explicit RunLock(FileLock&& lock) : FileLock(std::move(lock)) {}
};

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path dir) : dir_(std::move(dir)) {}

  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path file(const std::string& name) const { return dir_ / name; }

  // Done means the DONE marker, which is written last. A status that says running without a living
  // worker is read as interrupted. No status at all is queued. Throws Error if the status is
  // damaged or of a newer format than this program knows.
  RunStatus status() const;
  void set_status(const RunStatus& status) const;
  // Writes the status of a run that waits for its first start, if there is no status yet: never
  // over that of a worker which was faster. Not forced to disk, as nothing is lost with it.
  void mark_queued(std::int64_t steps) const;
  bool done() const;
  void mark_done() const;

  std::optional<RunProgress> progress() const;  // empty if there is none (or none that can be read)
  void set_progress(const RunProgress& progress) const;

 private:
  std::filesystem::path dir_;
};

}  // namespace bitlab
