#pragma once
// Owners for the ids of the HDF5 C API. For .cpp files only, as it includes hdf5.h.
#include <hdf5.h>

#include <string>
#include <utility>

#include "core/base/error.h"

namespace bitlab {

// Keeps HDF5 from printing its error stack while it lives: the library never prints.
class QuietHdf5 {
 public:
  QuietHdf5() {
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

// What HDF5 says about its last failure: the innermost description.
inline std::string hdf5_reason() {
  std::string reason;
  const auto keep = [](unsigned, const H5E_error2_t* entry, void* out) -> herr_t {
    if (entry->desc != nullptr) *static_cast<std::string*>(out) = entry->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep, &reason);
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

// Throws Error(where, "<what>: <reason>") if an HDF5 call returned a negative value.
template <class Result>
Result check_hdf5(Result result, const std::string& where, const std::string& what) {
  if (result < 0) {
    const std::string reason = hdf5_reason();
    const bool full = reason.find("No space left") != std::string::npos;
    throw Obstacle(where, what + ": " + reason,
                   full ? "free some disk space and run the same command again" : "");
  }
  return result;
}

// An HDF5 id and the call that closes it.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t id() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

}  // namespace bitlab
