#include "core/base/huge_pages.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <cstdint>
#include <new>

namespace bitlab {

void prefer_huge_pages(void* memory, std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr std::uintptr_t kHugePage = std::uintptr_t{2} << 20;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (address + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t end = (address + bytes) / kHugePage * kHugePage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

HugeBuffer::HugeBuffer(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20, kLine = 64;
  const std::size_t step = bytes >= kHugePage / 2 ? kHugePage : kLine;
  const std::size_t size = (bytes + step - 1) / step * step;
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(step, size)));
  if (!memory_ && size > 0) throw std::bad_alloc();
  if (step == kHugePage) prefer_huge_pages(memory_.get(), size);
}

void give_back_pages(const void* memory, std::size_t bytes) {
#if defined(__linux__)
  // What lies on the pages at both ends belongs to the neighbours as well.
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#else
  (void)memory;
  (void)bytes;
#endif
}

}  // namespace bitlab
