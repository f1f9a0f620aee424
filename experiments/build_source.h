#pragma once
// What this binary was built from, taken down by the build itself (scripts/build_source.py): a
// source tree that is edited later does not change what a run says of its code.
#include <map>
#include <string>

namespace bitlab {

struct BuildSource {
  std::string commit;  // 40 hex digits, or "unknown" outside of a git checkout
  std::string diff;    // of what is compiled against that commit; empty: there is none
  std::string flags;   // the compiler's, of everything but the kernels
  std::map<std::string, std::string> kernel_flags;  // by kernel table

  bool dirty() const { return !diff.empty(); }
  // "ba4707d0c0de", "ba4707d0c0de-dirty"
  std::string description() const;
};

const BuildSource& build_source();

}  // namespace bitlab
