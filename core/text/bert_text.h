#pragma once
// A text as BERT's uncased models see it: steps 1 to 4 of WordPiece (word_piece.h).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitlab {

enum class BertKind : std::uint8_t {
  kLetter,  // whatever words are made of
  kSpace,   // ends a word
  kSymbol,  // a word of its own
  kNone     // left out
};

struct AsciiTable {
  BertKind kind[128];
  char lower[128];
};
const AsciiTable& bert_ascii();

// Characters that are not ASCII, with all that combines with them.
class BertRun {
 public:
  struct Character {
    char32_t code;
    BertKind kind;  // never kNone
  };
  // Reads the run that begins at text[at], moves `at` behind it. Returns its characters, clean,
  // decomposed, without marks, lower-cased. Valid until the next call.
  const std::vector<Character>& read(std::string_view text, std::size_t& at);

 private:
  std::string clean_;
  std::vector<std::int32_t> decomposed_;
  std::vector<Character> characters_;
};

}  // namespace bitlab
