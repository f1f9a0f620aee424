#include "core/data/token_sequence.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"

namespace bitlab {

namespace {

// Copies `count` ids and returns the largest. Mapped bytes need not be aligned.
template <class Id>
std::uint32_t copy_ids(const void* from, std::size_t count, std::int32_t* to) {
  std::uint32_t largest = 0;
  const auto* bytes = static_cast<const char*>(from);
  for (std::size_t i = 0; i < count; ++i) {
    Id id;
    std::memcpy(&id, bytes + i * sizeof id, sizeof id);
    largest = std::max<std::uint32_t>(largest, id);
    to[i] = static_cast<std::int32_t>(id);
  }
  return largest;
}

}  // namespace

TokenSequence::TokenSequence(std::vector<std::int32_t> tokens) {
  const auto kept = std::make_shared<const std::vector<std::int32_t>>(std::move(tokens));
  *this = TokenSequence({{kept->data(), kept->size(), 4, "tokens"}}, kept, 0x80000000u);
}

TokenSequence::TokenSequence(const std::vector<Stretch>& stretches,
                             std::shared_ptr<const void> owner,
                             std::size_t vocab_size)
    : owner_(std::move(owner)), vocab_size_(vocab_size) {
  std::size_t mapped = 0;
  for (const Stretch& stretch : stretches) {
    if (stretch.count == 0) continue;
    places_.push_back({stretch, size_});
    size_ += stretch.count;
    if (stretch.file != nullptr) mapped += stretch.file->size();
  }
  if (mapped > kMostTouched) touched_ = std::make_shared<std::atomic<std::size_t>>(0);
}

std::int32_t* TokenSequence::copy(std::size_t begin, std::size_t count, std::int32_t* to) const {
  auto place = std::upper_bound(places_.begin(), places_.end(), begin,
                                [](std::size_t i, const Place& p) { return i < p.begin; });
  while (count > 0) {
    const Place& p = *--place;
    const std::size_t offset = begin - p.begin;
    const std::size_t here = std::min(count, p.stretch.count - offset);
    const char* from = static_cast<const char*>(p.stretch.ids) +
                       offset * static_cast<std::size_t>(p.stretch.width);
    const std::uint32_t largest = p.stretch.width == 2 ? copy_ids<std::uint16_t>(from, here, to)
                                                       : copy_ids<std::uint32_t>(from, here, to);
    if (largest >= vocab_size_)
      throw Error(p.stretch.where,
                  "must hold ids below " + std::to_string(vocab_size_) + ", but has " +
                      std::to_string(largest),
                  "the file is damaged: delete its folder, and it is made again");
    if (touched_) touch(here * static_cast<std::size_t>(p.stretch.width));
    to += here;
    begin += here;
    count -= here;
    place += 2;
  }
  return to;
}

// Threads may read meanwhile: what was given back is read again.
void TokenSequence::touch(std::size_t bytes) const {
  constexpr std::size_t kAround = std::size_t{64} << 10;  // Linux maps as much around one address
  const std::size_t more = bytes + kAround;
  if (touched_->fetch_add(more, std::memory_order_relaxed) + more < kMostTouched) return;
  touched_->store(0, std::memory_order_relaxed);
  for (const Place& p : places_)
    if (p.stretch.file != nullptr)
      p.stretch.file->give_back(p.stretch.file->data(), p.stretch.file->size());
}

std::int32_t TokenSequence::operator[](std::size_t i) const {
  std::int32_t token = 0;
  copy(i, 1, &token);
  return token;
}

std::vector<std::int32_t> TokenSequence::to_vector() const {
  std::vector<std::int32_t> tokens(size_);
  copy(0, size_, tokens.data());
  return tokens;
}

}  // namespace bitlab
