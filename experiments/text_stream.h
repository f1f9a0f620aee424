#pragma once
// Generated text on its way to a reader: it ends before a stop string, and what is given out is
// valid UTF-8.
#include <string>
#include <string_view>
#include <vector>

namespace bitlab {

// Takes the bytes of tokens as they come. Text that may yet turn out to be the beginning of a stop
// string, or of a character, is withheld until that is known; so stop strings are found across
// tokens, and a character that several tokens make up comes out whole. Bytes that cannot be UTF-8
// become U+FFFD, one each.
class TextStream {
 public:
  // Throws UsageError for an empty stop string.
  explicit TextStream(std::vector<std::string> stops = {});

  // What can be shown now. After a stop string was complete: nothing, ever.
  std::string push(std::string_view bytes);
  // What was withheld, when nothing more comes.
  std::string finish();
  // A stop string was complete: the first one to end and, if several end there, the longest. It is
  // not part of the text.
  bool stopped() const { return stopped_; }

 private:
  std::size_t longest_end(bool whole) const;
  std::string passed_on(std::string_view bytes, bool last);

  std::vector<std::string> stops_;
  std::string withheld_;  // the end of the text, as far as a stop string may begin there
  std::string partial_;   // the beginning of a character
  bool stopped_ = false;
};

}  // namespace bitlab
