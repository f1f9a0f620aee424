#pragma once
// Results as web pages on this machine, while runs go on. Read-only.
#include <filesystem>
#include <memory>

namespace bitlab {

// Serves until it is destroyed:
//   /                            all experiments under `results_root`
//   /experiments/NAME            the report page of one, which renews itself
//   /api/experiments[/NAME]      what has changed, as JSON with an ETag
// Listens on 127.0.0.1 alone. Answers only GET and HEAD, and only requests whose Host is this very
// server, so that no other page can get at it through a name that points here (DNS rebinding).
// Nothing of a request is used as a path of a file.
class ResultsServer {
 public:
  // Port 0: any that is free. Throws UsageError if the port is taken or not allowed.
  ResultsServer(const std::filesystem::path& results_root, int port);
  ~ResultsServer();

  int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitlab
