#pragma once
// Cuts a text into the pieces that byte-level BPE works on, by the regular expression of the model.
#include <memory>
#include <string>
#include <string_view>

namespace bitlab {

// The expressions as their models publish them.
extern const char* const kGpt2Pattern;
extern const char* const kLlama3Pattern;

class PreTokenizer {
 public:
  // A regular expression as Hugging Face's tokenizer.json and tiktoken write it. \s is Unicode's
  // White_Space. Throws Error if it is none.
  explicit PreTokenizer(std::string pattern);
  ~PreTokenizer();
  PreTokenizer(PreTokenizer&&) noexcept;

  const std::string& pattern() const { return pattern_; }

  // The pieces of a text in order; together they are the whole text. What the expression does not
  // match is a piece too. A byte that is not part of UTF-8 is a piece of its own, and text before
  // and after it is cut as if it stood alone.
  class Pieces {
   public:
    Pieces(const PreTokenizer& pre, std::string_view text);
    ~Pieces();
    Pieces(const Pieces&) = delete;
    Pieces& operator=(const Pieces&) = delete;
    std::string_view next();  // empty at the end

   private:
    struct Match;
    std::string_view take(std::size_t end);
    void find_match();

    const PreTokenizer& pre_;
    std::string_view text_;
    std::size_t at_ = 0;                           // of the next piece
    std::size_t run_begin_ = 0, run_end_ = 0;      // the UTF-8 that at_ is in
    std::size_t match_begin_ = 0, match_end_ = 0;  // the match that at_ is in or before
    std::unique_ptr<Match> match_;
  };

 private:
  struct Code;
  std::string pattern_;
  std::unique_ptr<Code> code_;
};

}  // namespace bitlab
