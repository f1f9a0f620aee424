#include <cstdlib>

#include "core/base/error.h"
#include "core/simd/kernels.h"

namespace bitlab::simd {

#if defined(BITLAB_SIMD_X86)
namespace avx512vnni {
extern const Kernels table;
}
namespace avx2 {
extern const Kernels table;
}
#endif
namespace portable {
extern const Kernels table;
}

namespace {

// Best first, only what this CPU runs.
std::vector<const Kernels*> supported() {
  std::vector<const Kernels*> tables;
#if defined(BITLAB_SIMD_X86)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni"))
    tables.push_back(&avx512vnni::table);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    tables.push_back(&avx2::table);
#endif
  tables.push_back(&portable::table);
  return tables;
}

const Kernels& choose() {
  const char* name = std::getenv("BITLAB_KERNELS");
  return name && *name ? kernels_named(name) : *supported().front();
}

}  // namespace

std::vector<std::string> available_kernels() {
  std::vector<std::string> names;
  for (const Kernels* table : supported()) names.push_back(table->name);
  return names;
}

const Kernels& kernels_named(const std::string& name) {
  std::string known;
  for (const Kernels* table : supported()) {
    if (name == table->name) return *table;
    known += (known.empty() ? "" : ", ") + std::string(table->name);
  }
  throw UsageError("kernels", "BITLAB_KERNELS must name a table that this CPU can run (" + known +
                                  "), but got '" + name + "'");
}

namespace {

const Kernels*& table_in_use() {
  static const Kernels* table = &choose();
  return table;
}

}  // namespace

const Kernels& kernels() { return *table_in_use(); }

void use_kernels(const Kernels& table) { table_in_use() = &table; }

}  // namespace bitlab::simd
