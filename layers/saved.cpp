#include "layers/saved.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/huge_pages.h"

namespace bitlab {

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = size_t{2} << 20;
}  // namespace

void* Arena::allocate(size_t bytes) {
  if (log_) log_->push_back({bytes, live_});
  ++live_;
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].memory.size()) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    Block block;
    block.memory = AddressSpace(std::max({bytes, kSmallestBlock, capacity()}));  // few blocks
    block.begin = static_cast<std::byte*>(block.memory.data());
    prefer_huge_pages(block.begin, block.memory.size());
    blocks_.push_back(std::move(block));
  }
  void* const memory = blocks_[block_].begin + used_;
  used_ += bytes;
  return memory;
}

size_t Arena::capacity() const {
  size_t total = 0;
  for (const Block& block : blocks_) total += block.memory.size();
  return total;
}

View Saved::pop() {
  if (stack_.empty())
    throw Error("Saved", "backward must pop what its forward pushed, but the stack is empty");
  const View top = stack_.back();
  stack_.pop_back();
  return top;
}

}  // namespace bitlab
