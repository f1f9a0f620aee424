#pragma once
// Files from the network: resumed where they broke off, retried, checked.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace bitlab {

struct Download {
  std::string url;               // http, https or file
  std::filesystem::path target;  // appears when it is whole and right; until then TARGET.part grows
  std::string sha256;            // what it must have
  std::uint64_t bytes = 0;       // what it must have; 0: not known
  int attempts = 4;              // before the network is given up
  double first_pause = 0.5;      // seconds between attempts; doubles each time
  long stall_seconds = 30;       // without a byte: an attempt that failed
};

// Called now and then with the bytes there and the bytes to come.
using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Fetches the file. What is in TARGET.part already is not fetched again; several processes that
// want the same file wait for the first. Throws Error that says what is wrong: no network, HTTP
// status, wrong size or hash, full disk. An interrupted part stays, for the next call to go on; a
// wrong one is removed.
void download(const Download& request, const DownloadProgress& progress = {});

}  // namespace bitlab
