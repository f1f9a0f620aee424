#pragma once
// Large buffers in large pages: fewer page faults at first touch, fewer TLB misses after.
#include <cstddef>

namespace bitlab {

// Asks the system to back this memory by huge pages where it can. Call before the first touch. A
// hint: no system has to follow it, and nothing else changes.
void prefer_huge_pages(void* memory, std::size_t bytes);

}  // namespace bitlab
