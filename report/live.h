#pragma once
// Results as they are while runs go on, for whoever watches (report/serve.h).
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace bitlab {

// A text with a tag that changes whenever the text does.
struct Snapshot {
  std::string text, tag;
};

// Reads results/ again when something has changed there, and never so often that it takes more than
// a twentieth of one core: between two readings are at least 2 s, and 20 times what the last one
// took. May be used from several threads; one reads at a time (HDF5 wants that).
class LiveResults {
 public:
  explicit LiveResults(std::filesystem::path results_root);

  // The page of all experiments, and of one; nothing if there is no such experiment. What cannot be
  // read is said on the page.
  std::string index_page();
  std::optional<std::string> experiment_page(const std::string& name);

  // What those pages ask for again and again: {"parts": {name: HTML}, "data": page_data()}.
  Snapshot index_update();
  std::optional<Snapshot> experiment_update(const std::string& name);

 private:
  struct Entry {
    Snapshot snapshot;
    std::string stamp;
    std::chrono::steady_clock::time_point next{};  // no reading before
  };
  using Read = std::function<std::string()>;

  std::optional<std::filesystem::path> folder_of(const std::string& name) const;
  Snapshot refreshed(const std::string& key, const Read& stamp, const Read& read);

  std::filesystem::path root_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace bitlab
