#include "report/report.h"

#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "report/fake_results.h"
#include "report/figure.h"

namespace bitlab {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Three seeds an arm, with titles that would break a careless script.
void fill(FakeResults& fake) {
  fake.change_plan(R"({"title": "It's \"50 %\" <of> $HOME & {a_b}^c; \\n `date`",
                       "references": [{"name": "tri<gram>", "loss": 1.95}]})");
  fake.add_arm("full", {1, 2, 3}, 209153);
  fake.add_arm("b_158", {1, 2, 3}, 207617, 196608);
  for (int seed = 1; seed <= 3; ++seed) {
    fake.finish("full", seed, 1.80 + 0.01 * seed, 1.8);
    fake.finish("b_158", seed, 1.90 + 0.01 * seed, 1.9);
  }
}

std::set<std::string> files_in(const std::filesystem::path& dir) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir))
    names.insert(entry.path().filename());
  return names;
}

TEST_CASE("a report has all its files and nothing else", "[report]") {
  FakeResults fake;
  fill(fake);
  const Report report = write_report(fake.path());
  CHECK(report.figure_error.empty());
  CHECK(files_in(fake.path() / "report") ==
        std::set<std::string>{"curves.png", "curves.svg", "paired.png", "paired.svg", "report.html",
                              "table.csv", "table.json", "table.md", "table.tex", "verdict.md"});
  CHECK(contains(report.text, "b_158 ends 0.100 nats/character above full"));
  CHECK(contains(report.text, (fake.path() / "report" / "curves.svg").string()));
  CHECK(contains(read_file(fake.path() / "report" / "verdict.md"), "tinyshakespeare"));
  CHECK(read_file(fake.path() / "report" / "curves.png").substr(1, 3) == "PNG");
}

TEST_CASE("the figure shows its texts as they are", "[report]") {
  FakeResults fake;
  fill(fake);
  write_report(fake.path());
  const std::string svg = read_file(fake.path() / "report" / "curves.svg");
  CHECK(contains(svg, "It's \"50 %\" &lt;of> $HOME &amp; {a_b}^c; \\n `date`"));
  CHECK(contains(svg, "tri&lt;gram> 1.950"));
  CHECK(contains(svg,
                 "Data: tinyshakespeare; mean (line) and range (band) of 3 seeds; no smoothing"));
  CHECK(contains(svg, "full 1.820"));
  CHECK(contains(svg, "b_158 1.920"));
  CHECK(contains(svg, "</svg>"));
}

TEST_CASE("the same results give the same bytes", "[report]") {
  FakeResults fake;
  fill(fake);
  std::map<std::string, std::string> first;
  write_report(fake.path());
  for (const std::string& name : files_in(fake.path() / "report"))
    first[name] = read_file(fake.path() / "report" / name);
  write_report(fake.path());
  for (const auto& [name, content] : first)
    CHECK((read_file(fake.path() / "report" / name) == content));
}

TEST_CASE("before the first evaluation there are tables and no curves", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  write_file_atomic(fake.path() / "report" / "curves.svg", "of an earlier plan");
  const Report report = write_report(fake.path());
  CHECK(report.figure_error.empty());
  CHECK(contains(report.text, "figures: none yet"));
  CHECK(files_in(fake.path() / "report") == std::set<std::string>{"report.html", "table.csv",
                                                                  "table.json", "table.md",
                                                                  "table.tex", "verdict.md"});
}

TEST_CASE("a missing gnuplot is said, with what to install", "[report]") {
  const std::string message =
      message_of([] { draw({"plot 1\n"}, ImageFormat::Svg, "no-such-gnuplot"); });
  CHECK(contains(message, "no-such-gnuplot must be installed"));
  CHECK(contains(message, "apt-get install gnuplot-nox"));
}

TEST_CASE("a script that gnuplot refuses is an error with gnuplot's words", "[report]") {
  const std::string message = message_of([] { draw({"plot nonsense with\n"}, ImageFormat::Svg); });
  CHECK(contains(message, "must draw the figure, but failed"));
  CHECK(message.size() > 80);
}

TEST_CASE("a report of a folder without results is refused", "[report]") {
  TestFolder empty;
  CHECK_THROWS_AS(write_report(empty.path()), UsageError);
  CHECK(std::filesystem::is_empty(empty.path()));
}

}  // namespace
}  // namespace bitlab
