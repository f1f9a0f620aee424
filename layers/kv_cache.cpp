#include "layers/kv_cache.h"

#include <cstring>
#include <string>

#include "core/base/error.h"

namespace bitlab {

using simd::attention_padded;

KvCache::KvCache(const Layer& net, size_t batch, size_t capacity)
    : batch_(batch), capacity_(capacity) {
  net.visit_caches([&](const Layer& layer, const std::vector<CacheStream>& streams) {
    Slot& slot = slots_[&layer];
    slot.streams = streams;
    for (const CacheStream& s : streams) {
      const size_t size = batch_ * s.heads * padded_capacity() * attention_padded(s.width);
      slot.memory.emplace_back(size * sizeof(real));
    }
  });
}

size_t KvCache::padded_capacity() const { return attention_padded(capacity_); }

void KvCache::check_room(size_t positions) const {
  if (positions > capacity_)
    throw Error("cache", "must have room for " + std::to_string(positions) +
                             " positions, but has " + std::to_string(capacity_));
}

void KvCache::advance(size_t n) {
  check_room(length_ + n);
  length_ += n;
}

void KvCache::truncate(size_t length) {
  if (length > length_)
    throw Error("cache", "must hold " + std::to_string(length) + " positions, but holds " +
                             std::to_string(length_));
  length_ = length;
}

size_t KvCache::bytes_per_token() const {
  size_t reals = 0;
  for (const auto& [layer, slot] : slots_)
    for (const CacheStream& s : slot.streams) reals += s.heads * attention_padded(s.width);
  return reals * sizeof(real);
}

size_t KvCache::bytes() const { return bytes_per_token() * padded_capacity() * batch_; }

simd::Heads<const real> KvCache::append(
    const Layer& layer, size_t index, View rows, size_t first, const Pass& pass) {
  const auto found = slots_.find(&layer);
  if (found == slots_.end())
    throw Error("cache", "must have been made for this model, but was made for another");
  if (pass.training) throw Error("cache", "must not be given to a training pass");
  if (pass.batch != batch_)
    throw Error("cache", "must be for " + std::to_string(pass.batch) +
                             " sequences at once, but is for " + std::to_string(batch_));
  check_room(pass.first_position + pass.seq_len);
  const CacheStream& s = found->second.streams[index];
  const size_t width = attention_padded(s.width), head = padded_capacity() * width,
               sequence = s.heads * head;
  real* const memory = reinterpret_cast<real*>(found->second.memory[index].data());
  for (size_t b = 0; b < pass.batch; ++b)
    for (size_t t = 0; t < pass.seq_len; ++t)
      for (size_t h = 0; h < s.heads; ++h)
        std::memcpy(memory + b * sequence + h * head + (pass.first_position + t) * width,
                    rows.row(b * pass.seq_len + t) + first + h * s.width, s.width * sizeof(real));
  return {memory, width, head, sequence};
}

}  // namespace bitlab
