#pragma once
// A long sequence of token ids, in memory or in mapped files.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/io/mapped_file.h"

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
    const MappedFile* file = nullptr;  // that they are mapped from, if they are
  };
  // However long a sequence is, it holds no more than about this many bytes of mapped files: pages
  // that were read are given back now and then.
  static constexpr std::size_t kMostTouched = std::size_t{64} << 20;
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
  void touch(std::size_t bytes) const;

  std::vector<Place> places_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<std::atomic<std::size_t>> touched_;  // bytes of mapped pages; null: few in all
  std::size_t size_ = 0, vocab_size_ = 0;
};

}  // namespace bitlab
