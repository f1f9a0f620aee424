#include "core/text/byte_map.h"

#include <bit>
#include <cstring>

namespace bitlab {

namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// The last 1 to 8 bytes of a key as one number; keys of other lengths may collide, the seed tells
// them apart.
std::uint64_t last_bytes(const char* at, std::size_t n) {
  if (n >= 4) return load<std::uint32_t>(at) | std::uint64_t{load<std::uint32_t>(at + n - 4)} << 32;
  const auto byte = [&](std::size_t i) -> std::uint64_t {
    return static_cast<unsigned char>(at[i]);
  };
  return byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
}

std::uint64_t hash_of(std::string_view key) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15u, kOther = 0xD6E8FEB86659FD93u;
  std::uint64_t hash = key.size() * kOdd + kOther;
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left > 8; at += 8, left -= 8) hash = mix(hash ^ load<std::uint64_t>(at), kOdd);
  if (left > 0) hash = mix(hash ^ last_bytes(at, left), kOdd);
  return mix(hash, kOther);
}

}  // namespace

ByteMap::ByteMap(std::size_t expected)
    : slots_(std::bit_ceil(std::max<std::size_t>(16, 2 * expected))) {}

std::size_t ByteMap::slot_of(std::string_view key, std::uint64_t hash) const {
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.value < 0) return i;
    if (slot.tag == tag && slot.length == key.size() &&
        std::memcmp(keys_.data() + slot.offset, key.data(), key.size()) == 0)
      return i;
  }
}

std::int32_t ByteMap::find(std::string_view key) const {
  return slots_[slot_of(key, hash_of(key))].value;
}

bool ByteMap::insert(std::string_view key, std::int32_t value) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(key);
  Slot& slot = slots_[slot_of(key, hash)];
  if (slot.value >= 0) return false;
  slot = {static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(key.size()),
          static_cast<std::uint32_t>(keys_.size()), value};
  keys_ += key;
  ++size_;
  return true;
}

void ByteMap::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.value < 0) continue;
    const std::string_view key(keys_.data() + slot.offset, slot.length);
    slots_[slot_of(key, hash_of(key))] = slot;
  }
}

}  // namespace bitlab
