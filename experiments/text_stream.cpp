#include "experiments/text_stream.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool may_become_utf8(std::string_view bytes) {
  // A cut-off character: some ending makes it one.
  for (const char* end : {"\x80", "\xBF", "\x80\x80", "\xBF\xBF", "\x80\x80\x80", "\xBF\xBF\xBF"}) {
    const std::string whole = std::string(bytes) + end;
    if (utf8_length(whole, 0) == whole.size()) return true;
  }
  return false;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_)
    if (stop.empty()) throw UsageError("generate", "a stop string must not be empty");
}

std::string TextStream::push(std::string_view bytes) {
  std::string shown;
  for (std::size_t i = 0; i < bytes.size() && !stopped_; ++i) {
    withheld_ += bytes[i];
    const std::size_t complete = longest_end(/*whole=*/true);
    stopped_ = complete > 0;
    const std::size_t keep = stopped_ ? complete : longest_end(/*whole=*/false);
    shown += passed_on(withheld_.substr(0, withheld_.size() - keep), stopped_);
    withheld_.erase(0, withheld_.size() - keep);
  }
  return shown;
}

// Of what is withheld: the length of its longest end that is a stop string, or begins one.
std::size_t TextStream::longest_end(bool whole) const {
  std::size_t longest = 0;
  for (const std::string& stop : stops_)
    for (std::size_t n = whole ? stop.size() : stop.size() - 1; n > longest; --n) {
      if (withheld_.ends_with(std::string_view(stop).substr(0, n))) longest = n;
      if (whole) break;
    }
  return longest;
}

std::string TextStream::finish() { return stopped_ ? "" : passed_on(withheld_, true); }

std::string TextStream::passed_on(std::string_view bytes, bool last) {
  partial_ += bytes;
  std::string valid;
  std::size_t at = 0;
  while (at < partial_.size()) {
    if (const std::size_t length = utf8_length(partial_, at); length > 0) {
      valid.append(partial_, at, length);
      at += length;
    } else if (!last && may_become_utf8(std::string_view(partial_).substr(at))) {
      break;
    } else {
      valid += kReplacement;
      ++at;
    }
  }
  partial_.erase(0, at);
  return valid;
}

}  // namespace bitlab
