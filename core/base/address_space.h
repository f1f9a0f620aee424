#pragma once
// Memory that takes addresses at once, and pages as they are written.
#include <cstddef>

namespace bitlab {

// `bytes` zeros, aligned to a page. Asks for more than the machine has are granted: what is never
// touched costs nothing. Throws Error if there are no addresses for them.
class AddressSpace {
 public:
  AddressSpace() = default;
  explicit AddressSpace(std::size_t bytes);
  ~AddressSpace();
  AddressSpace(AddressSpace&& other) noexcept;
  AddressSpace& operator=(AddressSpace&& other) noexcept;

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace bitlab
