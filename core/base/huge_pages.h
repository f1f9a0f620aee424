#pragma once
// What the system is told about the pages of large buffers.
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace bitlab {

// Asks the system to back this memory by huge pages where it can: fewer page faults at first touch,
// fewer TLB misses after. Call before the first touch. A hint: no system has to follow it, and
// nothing else changes.
void prefer_huge_pages(void* memory, std::size_t bytes);

// Memory in huge pages of its own, aligned to 64 bytes at least and not initialised: what is read
// from end to end, page after page. Less than half a huge page comes in ordinary ones.
class HugeBuffer {
 public:
  HugeBuffer() = default;
  explicit HugeBuffer(std::size_t bytes);  // throws std::bad_alloc
  std::byte* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
};

// Gives back the whole pages within this stretch, so that they no longer count as memory of this
// process. Those of a file that is mapped read-only are read again when touched; those of ordinary
// memory lose what they hold and are zeros then, if the system does it at all.
void give_back_pages(const void* memory, std::size_t bytes);

}  // namespace bitlab
