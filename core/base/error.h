#pragma once
// The one exception type. Every message reads `[where] X must ..., but got ...; hint`.
#include <stdexcept>
#include <string>
#include <utility>

namespace bitlab {

// Something that the caller cannot go on from. `where` names the part that refuses (a file, a
// function, a config path), `message` what was expected and what came, `hint` what to do about it.
class Error : public std::runtime_error {
 public:
  Error(const std::string& where, const std::string& message, const std::string& hint = "")
      : std::runtime_error("[" + where + "] " + message + (hint.empty() ? "" : "; " + hint)) {}

 protected:
  explicit Error(const std::string& whole_message) : std::runtime_error(whole_message) {}
};

// Something outside of a run stands in its way: a full disk, files of a newer version. When it is
// gone, the same command goes on.
class Obstacle : public Error {
 public:
  using Error::Error;
};

// The request or the config was wrong and nothing was run: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
  explicit UsageError(const std::string& whole_message) : Error(whole_message) {}
};

}  // namespace bitlab
