#include "core/base/catch.h"
