#pragma once
// Tests only.
#include <string>

#include "core/base/error.h"

namespace bitlab {

// What a call throws; empty if it does not.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace bitlab
