#pragma once
// Keys and values of the positions that a model has seen, so that decoding computes new ones only.
#include <unordered_map>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/simd/kernels.h"
#include "layers/layer.h"

namespace bitlab {

// A pass with a cache brings the next tokens of each sequence: attention appends their keys and
// values and attends to all. Logits have the bits of a pass over the whole sequence, however it is
// cut. Layers write at Pass::first_position; LanguageModel sets that and moves the cache on.
class KvCache {
 public:
  // Room for `capacity` positions of `batch` sequences in every layer of `net` that keeps
  // something. Memory is used as positions come.
  KvCache(const Layer& net, size_t batch, size_t capacity);

  size_t batch() const { return batch_; }
  size_t capacity() const { return capacity_; }
  size_t length() const { return length_; }  // positions held of each sequence

  // Counts n more positions as held. Throws Error beyond the capacity.
  void advance(size_t n);
  // Forgets all positions from `length` on; throws Error if there are not so many.
  void truncate(size_t length);

  size_t bytes() const;            // of all layers and sequences at full length
  size_t bytes_per_token() const;  // that one more position of one sequence takes

  // For layers: copies the heads that lie side by side in the rows of a pass, from column `first`
  // on, to the pass's positions of a stream (by its number in visit_caches). Returns the whole
  // stream, padded as attention wants it. Throws Error if it has no room, for a pass of another
  // batch, in training, and for a layer that was not in the net.
  simd::Heads<const real> append(
      const Layer& layer, size_t index, View rows, size_t first, const Pass& pass);

 private:
  struct Slot {
    std::vector<CacheStream> streams;
    std::vector<HugeBuffer> memory;  // of each: batch x heads x rows x padded width
  };

  void check_room(size_t positions) const;
  size_t padded_capacity() const;

  size_t batch_, capacity_, length_ = 0;
  std::unordered_map<const Layer*, Slot> slots_;
};

}  // namespace bitlab
