#pragma once
// What a forward pass keeps for its backward pass, and everything else that one pass over one shard
// owns.
#include <cstdint>
#include <vector>

#include "core/base/address_space.h"
#include "core/tensor/view.h"

namespace bitlab {

class AttentionTap;
class BlockTap;
class Gradients;
class KvCache;

// Memory of one pass: a bump allocator that keeps its blocks between passes, so that nothing is
// allocated after the first pass of a given size. All memory is aligned to 64 bytes and not
// initialised; the system backs it as it is written.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes);
  template <class T>
  T* array(size_t n) {
    return static_cast<T*>(allocate(n * sizeof(T)));
  }
  View matrix(size_t rows, size_t cols) { return {array<real>(rows * cols), rows, cols}; }

  struct Mark {
    size_t block = 0, used = 0, live = 0;
  };
  Mark mark() const { return {block_, used_, live_}; }
  void release(Mark m) {
    block_ = m.block;
    used_ = m.used;
    live_ = m.live;
  }  // gives back all that came after the mark
  void reset() { release({}); }
  size_t capacity() const;  // bytes held

  // One allocation: what was asked for, and how many were alive before it.
  struct Request {
    size_t bytes = 0, live = 0;
  };
  // Notes every request from now on, for planning; null ends it.
  void record(std::vector<Request>* log) { log_ = log; }

 private:
  struct Block {
    AddressSpace memory;
    std::byte* begin = nullptr;
  };
  std::vector<Block> blocks_;
  size_t block_ = 0;  // the one being filled
  size_t used_ = 0;   // bytes used of it
  size_t live_ = 0;   // allocations that were not given back
  std::vector<Request>* log_ = nullptr;
};

// A stack of what forwards hand to backwards: the last forward's backward comes first.
class Saved {
 public:
  void push(View v) { stack_.push_back(v); }
  View pop();  // throws Error if a layer pops what no forward pushed
  void clear() { stack_.clear(); }
  size_t size() const { return stack_.size(); }
  void shrink(size_t size) { stack_.resize(size); }  // forgets what was pushed since it had `size`

 private:
  std::vector<View> stack_;
};

// One pass over one shard of a batch. The caller owns it and may use it again for the next step.
struct Pass {
  size_t batch = 0;                      // sequences in this shard, B
  size_t seq_len = 0;                    // positions in each, T
  const std::int32_t* tokens = nullptr;  // rows() token ids
  // Of sequences of various lengths, one after the other without padding: where each begins among
  // the rows, and the end of the last (B + 1 numbers). None is longer than seq_len. Null: all have
  // seq_len positions.
  const size_t* begins = nullptr;
  bool training = false;   // dropout is active, backward will follow
  std::uint64_t seed = 0;  // with step and first_row the key of all random draws
  std::uint64_t step = 0;
  std::uint64_t first_row = 0;  // row of the whole batch where this shard begins
  KvCache* cache = nullptr;     // of earlier positions, to which attention adds (kv_cache.h)
  size_t first_position = 0;    // of each sequence's tokens: those before are in the cache
  bool last_only = false;       // logits of each sequence's last position only
  // Rows, ascending, of which a head that need not read all makes logits (picked_rows.h); null:
  // all.
  const std::vector<size_t>* picked = nullptr;
  AttentionTap* tap = nullptr;     // is told what one attention layer has (attention.h)
  BlockTap* block_tap = nullptr;   // is told what comes out of blocks (block_output.h)
  Gradients* gradients = nullptr;  // where backward adds
  Arena arena;
  Saved saved;

  size_t rows() const { return begins ? begins[batch] : batch * seq_len; }
  size_t begin_of(size_t sequence) const { return begins ? begins[sequence] : sequence * seq_len; }
  size_t length_of(size_t sequence) const { return begin_of(sequence + 1) - begin_of(sequence); }
  View matrix(size_t cols) { return arena.matrix(rows(), cols); }
};

}  // namespace bitlab
