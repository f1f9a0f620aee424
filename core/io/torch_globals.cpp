#include "core/io/torch_globals.h"

#include <map>

namespace bitlab {

const DType* storage_dtype(const std::string& global) {
  static const std::map<std::string, DType> known = {
      {"torch FloatStorage", DType::F32},     {"torch HalfStorage", DType::F16},
      {"torch BFloat16Storage", DType::BF16}, {"torch DoubleStorage", DType::F64},
      {"torch LongStorage", DType::I64},      {"torch IntStorage", DType::I32},
      {"torch ShortStorage", DType::I16},     {"torch CharStorage", DType::I8},
      {"torch ByteStorage", DType::U8},       {"torch BoolStorage", DType::Bool}};
  const auto found = known.find(global);
  return found == known.end() ? nullptr : &found->second;
}

bool is_tensor_function(const std::string& global) {
  return global == "collections OrderedDict" || global == "torch._utils _rebuild_tensor_v2" ||
         global == "torch._utils _rebuild_parameter";
}

}  // namespace bitlab
