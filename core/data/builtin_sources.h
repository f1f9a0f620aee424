#pragma once
// The data sources that come with bitlab. Used by sources.cpp.
#include "core/data/sources.h"

namespace bitlab {

void register_builtin_sources(Registry<Source>& registry);

}  // namespace bitlab
