#include "core/io/json_nesting.h"

#include "core/base/catch.h"
#include "core/base/error.h"

using namespace bitlab;

TEST_CASE("brackets of JSON are counted outside of its texts", "[json][hostile]") {
  CHECK(shallow_json("[[1], {\"a\": [2]}]", "x", 3) == "[[1], {\"a\": [2]}]");
  CHECK_THROWS_WITH(shallow_json("[[1], {\"a\": [2]}]", "x.json", 2),
                    Catch::Contains("x.json") && Catch::Contains("2 levels"));
  CHECK_NOTHROW(shallow_json(R"(["[[[", "\"[[[", "\\", "]]"])", "x", 1));
  CHECK_THROWS_AS(shallow_json(R"(["\\", [2]])", "x", 1), Error);
  CHECK_NOTHROW(shallow_json("][][", "x", 1));  // not our matter
  CHECK_THROWS_AS(shallow_json(std::string(1000000, '['), "x"), Error);
}
