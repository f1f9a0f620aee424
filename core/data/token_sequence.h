#pragma once
// A long sequence of token ids, in memory or in mapped files.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bitlab {

class TokenSequence {
 public:
  TokenSequence() = default;                        // empty
  TokenSequence(std::vector<std::int32_t> tokens);  // in memory
  TokenSequence(std::initializer_list<std::int32_t> tokens)
      : TokenSequence(std::vector<std::int32_t>(tokens)) {}

  // Unsigned ids of `width` bytes (2 or 4) in the byte order of the machine.
  struct Stretch {
    const void* ids = nullptr;
    std::size_t count = 0;
    int width = 4;
    std::string where;  // for errors
  };
  // Stretches one after another, in memory that `owner` keeps. Ids must be below vocab_size: that
  // is looked at when they are read.
  TokenSequence(const std::vector<Stretch>& stretches,
                std::shared_ptr<const void> owner,
                std::size_t vocab_size);

  std::size_t size() const { return size_; }
  // Tokens begin .. begin + count - 1, which must be below size(). Returns `to` + count. Throws
  // Error if a file holds an id that no token has.
  std::int32_t* copy(std::size_t begin, std::size_t count, std::int32_t* to) const;
  std::int32_t operator[](std::size_t i) const;
  std::vector<std::int32_t> to_vector() const;

 private:
  struct Place {
    Stretch stretch;
    std::size_t begin = 0;  // number of its first token
  };
  std::vector<Place> places_;
  std::shared_ptr<const void> owner_;
  std::size_t size_ = 0, vocab_size_ = 0;
};

}  // namespace bitlab
