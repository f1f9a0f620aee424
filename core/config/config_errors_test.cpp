// Every kind of error with its exact text.
#include "core/base/catch.h"
#include "core/config/config_test.h"

namespace bitlab {
namespace {

// What reading x.toml (and more) into a boat says.
std::string error_of(const std::string& toml, const std::vector<std::string>& overrides = {}) {
  const ConfigFolder folder;
  folder.write("x.toml", toml);
  return usage_error([&] {
    Boat boat;
    read_settings(settings_of_arm(folder.load("x.toml", overrides), ""), boat);
  });
}

TEST_CASE("an unknown key is shown at its place with what was meant", "[config]") {
  CHECK(error_of("[hull]\nn_layers = 3\n") ==
        "x.toml:2:1: unknown key 'hull.n_layers'\n"
        "    2 | n_layers = 3\n"
        "      | ^^^^^^^^\n"
        "    did you mean 'hull.n_layer'?\n"
        "    valid keys in [hull]: d_model fast lr n_layer");
  CHECK(error_of("learning_rate = 1\n") ==
        "x.toml:1:1: unknown key 'learning_rate'\n"
        "    1 | learning_rate = 1\n"
        "      | ^^^^^^^^^^^^^\n"
        "    did you mean 'hull.lr'?\n"
        "    valid keys at the top: ports title years");
  CHECK(error_of("[drive]\nname = \"sail\"\npower = 3\n") ==
        "x.toml:3:1: unknown key 'drive.power'\n"
        "    3 | power = 3\n"
        "      | ^^^^^\n"
        "    valid keys in [drive]: area name");
}

TEST_CASE("an unknown table is reported once, empty or not", "[config]") {
  CHECK(error_of("[hulll]\nlr = 1\nfast = true\n") ==
        "x.toml:1:2: unknown table [hulll]\n"
        "    1 | [hulll]\n"
        "      |  ^^^^^\n"
        "    did you mean [hull]?\n"
        "    tables: [drive] [hull]");
  CHECK(error_of("[sail]\n") ==
        "x.toml:1:2: unknown table [sail]\n"
        "    1 | [sail]\n"
        "      |  ^^^^\n"
        "    tables: [drive] [hull]");
}

TEST_CASE("a value of a wrong type is refused, also a number for an integer", "[config]") {
  CHECK(error_of("[hull]\nn_layer = \"3\"\n") ==
        "x.toml:2:11: hull.n_layer must be an integer, but got a string: \"3\"\n"
        "    2 | n_layer = \"3\"\n"
        "      |           ^^^");
  CHECK(error_of("[hull]\nd_model = 1e3\n") ==
        "x.toml:2:11: hull.d_model must be an integer, but got a number with a fraction or "
        "exponent: 1e3\n"
        "    2 | d_model = 1e3\n"
        "      |           ^^^\n"
        "    write 1000");
  CHECK(error_of("hull.lr = \"1e-3\"\n") ==
        "x.toml:1:11: hull.lr must be a number, but got a string: \"1e-3\"\n"
        "    1 | hull.lr = \"1e-3\"\n"
        "      |           ^^^^^^");
  CHECK(error_of("hull.fast = 1\n") ==
        "x.toml:1:13: hull.fast must be true or false, but got an integer: 1\n"
        "    1 | hull.fast = 1\n"
        "      |             ^");
  CHECK(error_of("title = 3\n") ==
        "x.toml:1:9: title must be a string, but got an integer: 3\n"
        "    1 | title = 3\n"
        "      |         ^\n"
        "    put it in quotes");
  CHECK(error_of("ports = \"a,b\"\n") ==
        "x.toml:1:9: ports must be a list of strings, but got a string: \"a,b\"\n"
        "    1 | ports = \"a,b\"\n"
        "      |         ^^^^^\n"
        "    write ports = [\"a,b\"]");
  CHECK(error_of("years = [1, 2.5]\n") ==
        "x.toml:1:13: years must be a list of integers, but got a number with a fraction or "
        "exponent: 2.5\n"
        "    1 | years = [1, 2.5]\n"
        "      |             ^^^");
  CHECK(error_of("title = 2024-01-01\n") ==
        "x.toml:1:9: title must be a string, but got a date or a table: 2024-01-01\n"
        "    1 | title = 2024-01-01\n"
        "      |         ^^^^^^^^^^\n"
        "    put it in quotes");
}

TEST_CASE("a table is no value and a value is no table", "[config]") {
  CHECK(error_of("[hull.lr]\nx = 1\n") ==
        "x.toml:1:7: hull.lr must be a number, but got a table\n"
        "    1 | [hull.lr]\n"
        "      |       ^^");
  CHECK(error_of("hull = 3\n") ==
        "x.toml:1:8: hull must be a table, but got 3\n"
        "    1 | hull = 3\n"
        "      |        ^\n"
        "    write [hull] and its settings below it");
}

TEST_CASE("a value out of its range is refused", "[config]") {
  CHECK(error_of("[hull]\nn_layer = 0\n") ==
        "x.toml:2:11: hull.n_layer must be at least 1, but got 0\n"
        "    2 | n_layer = 0\n"
        "      |           ^");
  CHECK(error_of("hull.lr = 1.5\n") ==
        "x.toml:1:11: hull.lr must be between 0 and 1, but got 1.5\n"
        "    1 | hull.lr = 1.5\n"
        "      |           ^^^");
  CHECK(error_of("years = [3, -1]\n") ==
        "x.toml:1:9: years must hold numbers at least 0, but got -1\n"
        "    1 | years = [3, -1]\n"
        "      |         ^^^^^^^");
  CHECK(error_of("hull.lr = nan\n") ==
        "x.toml:1:11: hull.lr must be finite, but got nan\n"
        "    1 | hull.lr = nan\n"
        "      |           ^^^");
}

TEST_CASE("a value that is none of the choices is refused with the nearest one", "[config]") {
  CHECK(error_of("drive.fuel = \"deisel\"\n") ==
        "x.toml:1:14: drive.fuel must be one of diesel, petrol, but got 'deisel'\n"
        "    1 | drive.fuel = \"deisel\"\n"
        "      |              ^^^^^^^^\n"
        "    did you mean 'diesel'?");
}

TEST_CASE("a broken rule is shown where its field was set", "[config]") {
  CHECK(error_of("[hull]\nn_layer = 7\n") ==
        "x.toml:2:11: hull.n_layer must divide d_model = 64, but got 7\n"
        "    2 | n_layer = 7\n"
        "      |           ^\n"
        "    try 8");
  CHECK(error_of("[hull]\nd_model = 66\n") ==
        "hull.n_layer must divide d_model = 66, but has its default\n"
        "    try 8");
  // A value that was refused already breaks no rule as well.
  CHECK(error_of("[hull]\nd_model = 66\nn_layer = 0\n") ==
        "x.toml:3:11: hull.n_layer must be at least 1, but got 0\n"
        "    3 | n_layer = 0\n"
        "      |           ^");
}

TEST_CASE("everything that is wrong is said at once, in the order of its place", "[config]") {
  CHECK(error_of("titel = \"x\"\n[hull]\nlr = 2\nn_layer = true\n[drive]\nfuel = \"coal\"\n",
                 {"hull.fast=yes"}) ==
        "x.toml:1:1: unknown key 'titel'\n"
        "    1 | titel = \"x\"\n"
        "      | ^^^^^\n"
        "    did you mean 'title'?\n"
        "    valid keys at the top: ports title years\n"
        "x.toml:3:6: hull.lr must be between 0 and 1, but got 2\n"
        "    3 | lr = 2\n"
        "      |      ^\n"
        "x.toml:4:11: hull.n_layer must be an integer, but got a boolean: true\n"
        "    4 | n_layer = true\n"
        "      |           ^^^^\n"
        "x.toml:6:8: drive.fuel must be one of diesel, petrol, but got 'coal'\n"
        "    6 | fuel = \"coal\"\n"
        "      |        ^^^^^^\n"
        "command line: hull.fast must be true or false, but got a string: yes\n"
        "    | hull.fast=yes\n"
        "    |           ^^^");
}

TEST_CASE("carets stand below their text after tabs and characters of several bytes", "[config]") {
  CHECK(error_of("hull = {\tfast = 3 }\n") ==
        "x.toml:1:17: hull.fast must be true or false, but got an integer: 3\n"
        "    1 | hull = {\tfast = 3 }\n"
        "      |         \t       ^");
  CHECK(error_of("ports = [\"ÄÖÜ\", 4]\n") ==
        "x.toml:1:17: ports must be a list of strings, but got an integer: 4\n"
        "    1 | ports = [\"ÄÖÜ\", 4]\n"
        "      |                 ^");
}

TEST_CASE("overrides are held to the same rules", "[config]") {
  CHECK(error_of("", {"hull.lrr=1"}) ==
        "command line: unknown key 'hull.lrr'\n"
        "    | hull.lrr=1\n"
        "    |      ^^^\n"
        "    did you mean 'hull.lr'?\n"
        "    valid keys in [hull]: d_model fast lr n_layer");
  CHECK(error_of("", {"hul.lr=1"}) ==
        "command line: unknown table [hul]\n"
        "    | hul.lr=1\n"
        "    | ^^^\n"
        "    did you mean [hull]?\n"
        "    tables: [drive] [hull]");
  CHECK(error_of("", {"hul.lr=high"}) ==
        "command line: unknown table [hul]\n"
        "    | hul.lr=high\n"
        "    | ^^^\n"
        "    did you mean [hull]?\n"
        "    tables: [drive] [hull]");
  CHECK(error_of("", {"hull.lr"}) ==
        "command line: an override must be path=value, but got 'hull.lr'\n"
        "    | hull.lr\n"
        "    | ^^^^^^^");
  CHECK(error_of("", {"hull.n_layer=1e3"}) ==
        "command line: hull.n_layer must be an integer, but got a number with a fraction or "
        "exponent: 1e3\n"
        "    | hull.n_layer=1e3\n"
        "    |              ^^^\n"
        "    write 1000");
  CHECK(error_of("", {"hull.lr=0.1,0.2"}) ==
        "command line: hull.lr must be a number, but got a string: 0.1,0.2\n"
        "    | hull.lr=0.1,0.2\n"
        "    |         ^^^^^^^");
  CHECK(error_of("", {"ports=[a,b]"}).find("shells take quotes away: write ports=a,b") !=
        std::string::npos);
}

TEST_CASE("TOML syntax errors have a position, those of all files together", "[config]") {
  CHECK(error_of("[hull]\nlr = = 3\n").starts_with("x.toml:2:6: TOML syntax: "));
  CHECK(error_of("a = 1\na = 2\n").starts_with("x.toml:2:"));

  const ConfigFolder folder;
  folder.write("a.toml", "x = \n");
  folder.write("x.toml", "extends = [\"a.toml\", \"none.toml\"]\n");
  const std::string text = usage_error([&] { folder.load(); });
  CHECK(text.find("a.toml:1:5: TOML syntax: ") != std::string::npos);
  CHECK(text.find("x.toml:1:22: the file none.toml must be there and readable, but is not") !=
        std::string::npos);
}

TEST_CASE("a file of lists that are none is refused", "[config]") {
  CHECK(error_of("extends = \"a.toml\"\n") ==
        "x.toml:1:11: extends must be a list of files, but got \"a.toml\"\n"
        "    1 | extends = \"a.toml\"\n"
        "      |           ^^^^^^^^\n"
        "    write extends = [\"../models/x.toml\"]");
  CHECK(error_of("extends = [3]\n") ==
        "x.toml:1:12: extends must list files as strings, but got 3\n"
        "    1 | extends = [3]\n"
        "      |            ^");
}

TEST_CASE("files that extend each other are refused", "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml", "extends = [\"y.toml\"]\n");
  folder.write("y.toml", "\nextends = [\"x.toml\"]\n");
  CHECK(usage_error([&] { folder.load(); }) ==
        "y.toml:2:12: extends must not go in a circle, but x.toml -> y.toml -> x.toml\n"
        "    2 | extends = [\"x.toml\"]\n"
        "      |            ^^^^^^^^");
}

TEST_CASE("keys are plain", "[config]") {
  CHECK(error_of("\"a b\" = 1\n") ==
        "x.toml:1:1: a key must consist of letters, digits, '_' and '-', but got 'a b'\n"
        "    1 | \"a b\" = 1\n"
        "      | ^^^^^");
}

TEST_CASE("a misspelt arm on the command line is no new arm", "[config]") {
  CHECK(error_of("[arms.slow]\n[arms.quick]\n", {"arms.slwo.hull.lr=1"}) ==
        "command line: the arm must be one of the experiment's, but got 'slwo'\n"
        "    | arms.slwo.hull.lr=1\n"
        "    |      ^^^^\n"
        "    did you mean 'slow'?\n"
        "    its arms: slow, quick");
  CHECK(error_of("arms.slow = 3\n") ==
        "x.toml:1:6: 'arms.slow' must be a table, but got 3\n"
        "    1 | arms.slow = 3\n"
        "      |      ^^^^\n"
        "    write [arms.NAME] and below it what differs");
}

TEST_CASE(
    "a setting for all arms is known if one of them has it, one of an arm only if that arm has it",
    "[config]") {
  const ConfigFolder folder;
  folder.write("x.toml",
               "drive.area = 30\ndrive.powr = 3\n[arms.a]\n[arms.b]\ndrive.name = "
               "\"sail\"\ndrive.fuel = \"petrol\"\n");
  const LoadedConfig config = folder.load();
  Problems problems;
  ConfigReader reader(problems);
  for (const std::string& arm : arm_names(config)) {
    Boat boat;
    reader.read(settings_of_arm(config, arm), boat);
  }
  reader.report_unknown();
  CHECK(problems.text() ==
        "x.toml:2:7: unknown key 'drive.powr'\n"
        "    2 | drive.powr = 3\n"
        "      |       ^^^^\n"
        "    did you mean 'drive.power'?\n"
        "    valid keys in [drive]: area fuel name power\n"
        "x.toml:6:7: unknown key 'drive.fuel' in arm b\n"
        "    6 | drive.fuel = \"petrol\"\n"
        "      |       ^^^^\n"
        "    another arm has it: it depends on a name that is set there");
}

}  // namespace
}  // namespace bitlab
