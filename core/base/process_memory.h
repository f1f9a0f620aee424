#pragma once
// Memory of this process as the system counts it (Linux: /proc/self).
#include <cstddef>

namespace bitlab {

// Bytes held now: the program, its libraries, data, and pages of mapped files that were touched and
// not given back.
std::size_t resident_bytes();

// The most that was held at once since the process began, or since the last reset.
std::size_t peak_resident_bytes();
void reset_peak_resident();

// Gives pages that were used and freed back to the system, where the allocator can (glibc).
void give_back_free_memory();

}  // namespace bitlab
