#include "core/config/read_fields.h"

#include <algorithm>

#include "core/base/catch.h"
#include "core/config/resolve.h"

namespace bitlab {
namespace {

TEST_CASE("what is printed reads back, with every origin", "[config]") {
  std::vector<FieldState> fields(4);
  fields[0] = {"title", "string", R"("a \"#\" in = \\")", "configs/x.toml:1", {}};
  fields[1] = {"optim.lr", "number", "9e-04", "arm b (configs/x.toml:20)", {}};
  fields[2] = {"model.bitlinear.norm", "string", "\"none\"", "default", {}};
  fields[3] = {"seeds", "list of integers", "[1, 2]", "command line", {}};
  const std::vector<PrintedField> read = read_fields("# arm b\n" + to_toml(fields));
  REQUIRE(read.size() == fields.size());
  for (const FieldState& field : fields) {
    const auto found = std::find_if(read.begin(), read.end(), [&](const PrintedField& printed) {
      return printed.path == field.path;
    });
    REQUIRE(found != read.end());
    CHECK(found->toml == field.toml);
    CHECK(found->origin == field.origin);
  }
}

TEST_CASE("lines of another form are passed over", "[config]") {
  CHECK(read_fields("").empty());
  CHECK(read_fields("# only a comment = 1\n\nnonsense\n[a]\n").empty());
  const std::vector<PrintedField> read = read_fields("[a.b]\nc = 1");
  REQUIRE(read.size() == 1);
  CHECK(read[0].path == "a.b.c");
  CHECK(read[0].toml == "1");
  CHECK(read[0].origin.empty());
}

}  // namespace
}  // namespace bitlab
