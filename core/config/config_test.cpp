// What is read, in which order, where it came from, how it is printed and hashed.
#include "core/config/config_test.h"

#include <cmath>
#include <limits>

#include "core/base/catch.h"

namespace bitlab {
namespace {

Boat read_boat(const LoadedConfig& config, const std::string& arm = "") {
  Boat boat;
  read_settings(settings_of_arm(config, arm), boat);
  return boat;
}

std::string canonical(const LoadedConfig& config) {
  Boat boat = read_boat(config);
  return canonical_text(list_fields(boat));
}

std::string canonical(Boat& boat) { return canonical_text(list_fields(boat)); }

TEST_CASE("every kind of value reaches its field", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml",
               "title = \"Möwe \\\"II\\\"\"\nyears = [1, -0, 3]\nports = [\"a\", \"b,c\"]\n"
               "hull.fast = true\nhull.n_layer = 0x10\nhull.d_model = 4_096\nhull.lr = 25e-2\n");
  const Boat boat = read_boat(folder.load());
  CHECK(boat.title == "Möwe \"II\"");
  CHECK(boat.years == std::vector<std::int64_t>{1, 0, 3});
  CHECK(boat.ports == std::vector<std::string>{"a", "b,c"});
  CHECK(boat.fast);
  CHECK(boat.n_layer == 16);
  CHECK(boat.d_model == 4096);
  CHECK(boat.lr == 0.25);
}

TEST_CASE("an integer is taken where a number is wanted", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "[hull]\nlr = 1\n");
  CHECK(read_boat(folder.load()).lr == 1.0);
}

TEST_CASE("fields that depend on a name are those of the name that is set", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "[drive]\narea = 35\nname = \"sail\"\n");
  const Boat boat = read_boat(folder.load());
  REQUIRE(boat.drive == "sail");
  CHECK(dynamic_cast<const Sail&>(*boat.settings).area == 35);
}

TEST_CASE("extended files are merged in their order and the file itself wins", "[config]") {
  const ConfigFolder folder;
  folder.write("presets/a.toml",
               "title = \"a\"\n[hull]\nn_layer = 1\nd_model = 1\nlr = 0.1\nfast = true\n");
  folder.write("presets/deep/b.toml",
               "extends = [\"../base.toml\"]\n[hull]\nd_model = 2\nlr = 0.2\n");
  folder.write("presets/base.toml", "[hull]\nd_model = 9\nn_layer = 2\n");
  folder.write(
      "x.toml",
      "title = \"x\"\nextends = [\"presets/a.toml\", \"presets/deep/b.toml\"]\nhull.lr = 0.3\n");
  const Boat boat = read_boat(folder.load());
  CHECK(boat.title == "x");  // the file over a
  CHECK(boat.n_layer == 2);  // base, which b extends, over a
  CHECK(boat.d_model == 2);  // b over base
  CHECK(boat.lr == 0.3);     // the file over b
  CHECK(boat.fast);          // a alone
}

TEST_CASE("one file may be extended twice, over different ways", "[config]") {
  const ConfigFolder folder;
  folder.write("base.toml", "title = \"base\"\n");
  folder.write("a.toml", "extends = [\"base.toml\"]\nhull.n_layer = 2\n");
  folder.write("b.toml", "extends = [\"base.toml\"]\nhull.d_model = 8\n");
  folder.write("x.toml", "extends = [\"a.toml\", \"b.toml\"]\n");
  const Boat boat = read_boat(folder.load());
  CHECK(boat.title == "base");
  CHECK(boat.n_layer == 2);
  CHECK(boat.d_model == 8);
}

TEST_CASE("arms of the files that one extends come before its own", "[config]") {
  const ConfigFolder folder;
  folder.write("a.toml", "[arms.full]\n[arms.bit]\n[arms.late]\n");
  folder.write("b.toml", "[arms.more]\n");
  folder.write("x.toml",
               "extends = [\"a.toml\", \"b.toml\"]\n[arms.own]\n[arms.late]\nhull.lr = 0.2\n");
  CHECK(arm_names(folder.load()) == std::vector<std::string>{"full", "bit", "late", "more", "own"});
}

TEST_CASE("arms win over the file, the command line over arms, its own arm over all", "[config]") {
  const ConfigFolder folder;
  folder.write(
      "x.toml",
      "[hull]\nlr = 0.1\nd_model = 8\nn_layer = 1\n[arms.slow]\nhull.lr = 0.2\nhull.d_model = 16\n"
      "[arms.quick.hull]\nlr = 0.3\nn_layer = 2\n[arms.plain]\n");
  const LoadedConfig config =
      folder.load("x.toml", {"hull.d_model=32", "arms.quick.hull.d_model=64"});
  CHECK(arm_names(config) == std::vector<std::string>{"slow", "quick", "plain"});
  const Boat slow = read_boat(config, "slow"), quick = read_boat(config, "quick");
  CHECK(slow.lr == 0.2);
  CHECK(slow.d_model == 32);
  CHECK(slow.n_layer == 1);
  CHECK(quick.lr == 0.3);
  CHECK(quick.d_model == 64);
  CHECK(quick.n_layer == 2);
  CHECK(read_boat(config, "plain").lr == 0.1);
}

TEST_CASE("the command line takes TOML, bare words, and lists where the field is one", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "");
  const auto boat = [&](const std::vector<std::string>& overrides) {
    return read_boat(folder.load("x.toml", overrides));
  };
  CHECK(boat({"title=plain words"}).title == "plain words");
  CHECK(boat({"title=\"quoted\""}).title == "quoted");
  CHECK(boat({"title=2024"}).title == "2024");
  CHECK(boat({"title=a=b"}).title == "a=b");
  CHECK(boat({"drive.name=sail"}).drive == "sail");
  CHECK(boat({"hull.lr=1"}).lr == 1.0);
  CHECK(boat({"hull.lr=2e-4"}).lr == 2e-4);
  CHECK(boat({"hull.fast=true"}).fast);
  CHECK(boat({"ports=a,b"}).ports == std::vector<std::string>{"a", "b"});
  CHECK(boat({"ports=a"}).ports == std::vector<std::string>{"a"});
  CHECK(boat({"ports=[\"a,b\"]"}).ports == std::vector<std::string>{"a,b"});
  CHECK(boat({"years=4,5"}).years == std::vector<std::int64_t>{4, 5});
  CHECK(boat({"years=4"}).years == std::vector<std::int64_t>{4});
  CHECK(boat({"years=[4, 5]"}).years == std::vector<std::int64_t>{4, 5});
  CHECK(boat({"hull.n_layer=2", "hull.n_layer=8"}).n_layer == 8);  // the last one wins
}

TEST_CASE("every value knows where it came from", "[config]") {
  const ConfigFolder folder;
  folder.write("presets/a.toml", "\n\n[hull]\nn_layer = 2\n");
  folder.write("x.toml",
               "extends = [\"presets/a.toml\"]\ntitle = \"x\"\n[arms.slow]\nhull.d_model = 16\n");
  const LoadedConfig config = folder.load("x.toml", {"hull.lr=0.5", "arms.slow.hull.fast=true"});
  Boat boat;
  const auto origins = read_settings(settings_of_arm(config, "slow"), boat);
  const std::map<std::string, std::string> expected = {{"title", "x.toml:2"},
                                                       {"hull.n_layer", "presets/a.toml:4"},
                                                       {"hull.d_model", "arm slow (x.toml:4)"},
                                                       {"hull.lr", "command line"},
                                                       {"hull.fast", "arm slow (command line)"}};
  CHECK(origins == expected);
}

TEST_CASE("resolved settings are printed as TOML with origins below each other", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "title = \"x\"\n[hull]\nlr = 1\n");
  Boat boat;
  const auto origins =
      read_settings(settings_of_arm(folder.load("x.toml", {"ports=a,b"}), ""), boat);
  CHECK(to_toml(list_fields(boat, origins)) ==
        "title = \"x\"         # x.toml:1\n"
        "years = [1999]      # default\n"
        "ports = [\"a\", \"b\"]  # command line\n"
        "\n[hull]\n"
        "n_layer = 4         # default\n"
        "d_model = 64        # default\n"
        "lr = 1.0            # x.toml:3\n"
        "fast = false        # default\n"
        "\n[drive]\n"
        "name = \"engine\"     # default\n"
        "power = 10.0        # default\n"
        "fuel = \"diesel\"     # default\n");
}

TEST_CASE("what is printed reads back to the same values, bit by bit", "[config]") {
  Boat boat;
  boat.title = "a \"b\" \\ c\nd\te\x01\x7f Ä # ] =";
  boat.years = {0, 9223372036854775807};
  boat.ports = {"", "x,y", "'"};
  boat.lr = 0.1 + 0.2 - 1.0 / 3.0;
  boat.n_layer = 1;
  boat.drive = "sail";
  boat.settings = std::make_unique<Sail>();
  dynamic_cast<Sail&>(*boat.settings).area = 7;

  const ConfigFolder folder;
  for (const double lr :
       {1e-3, 9e-4, 1.0 / 3.0, 5e-324, 2.2250738585072014e-308, 0.1 + 0.2, 1.0, 1e-7}) {
    boat.lr = lr;
    folder.write("y.toml", to_toml(list_fields(boat)));
    const Boat back = read_boat(folder.load("y.toml"));
    CHECK(back.title == boat.title);
    CHECK(back.years == boat.years);
    CHECK(back.ports == boat.ports);
    CHECK(back.lr == lr);
    CHECK(back.n_layer == 1);
    REQUIRE(back.drive == "sail");
    CHECK(dynamic_cast<const Sail&>(*back.settings).area == 7);
  }
}

TEST_CASE("fields are listed with type, default and help", "[config]") {
  Boat boat;
  const auto fields = list_fields(boat);
  REQUIRE(fields.size() == 10);
  CHECK(fields[1].path == "years");
  CHECK(fields[1].type == "list of integers");
  CHECK(fields[3].path == "hull.n_layer");
  CHECK(fields[3].type == "integer");
  CHECK(fields[3].toml == "4");
  CHECK(fields[3].origin == "default");
  CHECK(fields[3].info.help == "planks");
}

TEST_CASE("the text that is hashed has a fixed form", "[config]") {
  Boat boat;
  CHECK(canonical(boat) ==
        "drive.fuel = \"diesel\"\ndrive.name = \"engine\"\ndrive.power = 10.0\nhull.d_model = 64\n"
        "hull.fast = false\nhull.lr = 0.001\nhull.n_layer = 4\nports = []\nyears = [1999]\n");
}

TEST_CASE("order, comments, spelling and what does not matter leave the hashed text alone",
          "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "title = \"x\"\n[hull]\nlr = 1e-3\nn_layer = 2\n[drive]\npower = 5\n");
  folder.write("y.toml",
               "# the same\ndrive = {power = 5.0}\ntitle = \"another\"\n\n[hull] # "
               "hull\nn_layer=0b10\n  lr = 0.001\n");
  folder.write("z.toml", "extends = [\"y.toml\"]\n");
  CHECK(canonical(folder.load("x.toml")) == canonical(folder.load("y.toml")));
  CHECK(canonical(folder.load("x.toml")) == canonical(folder.load("z.toml")));
}

TEST_CASE("any value that matters changes the hashed text", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "");
  const std::string before = canonical(folder.load());
  for (const char* change : {"years=[1]", "ports=a", "hull.n_layer=2", "hull.d_model=128",
                             "hull.lr=0.0010000000000000002", "hull.fast=true", "drive.name=sail",
                             "drive.power=11", "drive.fuel=petrol"}) {
    INFO(change);
    CHECK(canonical(folder.load("x.toml", {change})) != before);
  }
  CHECK(canonical(folder.load("x.toml", {"title=other"})) == before);
}

TEST_CASE("a swap of neighbouring letters is one edit", "[config]") {
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("weigth", "weight") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(nearest("generte", {"run", "generate", "config"}) == "generate");
  CHECK(nearest("gen", {"run", "generate", "config"}) == "generate");
  CHECK(nearest("xyz", {"run", "generate", "config"}).empty());
}

TEST_CASE("paths are suggested by alias, by misspelling, and across tables", "[config]") {
  const std::set<std::string> valid = {"seeds",           "model.d_model",      "model.n_head",
                                       "model.n_layer",   "model.seq_len",      "model.name",
                                       "optim.lr",        "optim.weight_decay", "optim.name",
                                       "schedule.lr_end", "train.batch_size",   "train.steps"};
  CHECK(suggest_path("model.n_embd", valid) == "model.d_model");
  CHECK(suggest_path("model.hidden_size", valid) == "model.d_model");
  CHECK(suggest_path("model.dim", valid) == "model.d_model");
  CHECK(suggest_path("model.n_heads", valid) == "model.n_head");
  CHECK(suggest_path("num_heads", valid) == "model.n_head");
  CHECK(suggest_path("model.depth", valid) == "model.n_layer");
  CHECK(suggest_path("train.block_size", valid) == "model.seq_len");
  CHECK(suggest_path("ctx", valid) == "model.seq_len");
  CHECK(suggest_path("optim.learning_rate", valid) == "optim.lr");
  CHECK(suggest_path("optim.learning_rat", valid) == "optim.lr");
  CHECK(suggest_path("train.lr", valid) == "optim.lr");
  CHECK(suggest_path("wd", valid) == "optim.weight_decay");
  CHECK(suggest_path("optim.weigth_decay", valid) == "optim.weight_decay");
  CHECK(suggest_path("bs", valid) == "train.batch_size");
  CHECK(suggest_path("max_iters", valid) == "train.steps");
  CHECK(suggest_path("optmi.name", valid) == "optim.name");
  CHECK(suggest_path("seed", valid) == "seeds");
  CHECK(suggest_path("model.colour", valid).empty());
}

}  // namespace
}  // namespace bitlab
