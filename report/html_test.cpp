#include "report/html.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "report/fake_results.h"
#include "report/html_data.h"
#include "report/html_text.h"

namespace bitlab {
namespace {

using nlohmann::json;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

// A column of page_data() as numbers; a gap is NaN.
std::vector<double> decode(const json& column, double unit) {
  std::vector<double> values;
  double sum = 0;
  for (const json& change : column) {
    if (change.is_number()) sum += change.get<double>();
    values.push_back(change.is_number() ? sum * unit : std::nan(""));
  }
  return values;
}

// What the page holds of its data.
json data_of(const std::string& page) {
  const std::string open = "id=\"data\">";
  const std::size_t begin = page.find(open) + open.size();
  const std::string text = page.substr(begin, page.find("</script>", begin) - begin);
  std::string bytes(text.size(), '\0'), out(10'000'000, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  uLongf size = out.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                     reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == Z_OK);
  return json::parse(out.substr(0, size));
}

TEST_CASE("text of a config cannot become HTML", "[html]") {
  CHECK(escape_html("<a href='x'>\"&amp;\"") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;amp;&quot;");
  CHECK(escape_html("µ ≤ 1") == "µ ≤ 1");
}

TEST_CASE("a template is filled once", "[html]") {
  CHECK(fill_template("a {{x}} b {{y}}", {{"x", "{{y}}"}, {"y", "2"}}) == "a {{y}} b 2");
  CHECK_THROWS_AS(fill_template("{{z}}", {}), Error);
}

TEST_CASE("the hash of a script is the one that browsers compute", "[html]") {
  // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
  CHECK(script_hash("alert(1)") == "sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=");
}

TEST_CASE("a run's losses read back, rounded, without those that are not finite", "[html]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  const std::vector<double> losses = {4.17434, 1e9, -2.5, INFINITY, 1.00006, std::nan(""), 0};
  std::vector<EvalRow> rows;
  for (std::size_t i = 0; i < losses.size(); ++i)
    rows.push_back({static_cast<std::int64_t>(250 * i), "val", losses[i], 0, 1});
  fake.write_metrics("full", 1, rows);
  fake.set_status("full", 1, R"({"state": "failed"})");
  const json data = json::parse(page_data(load_results(fake.path())));
  const json curve = data["arms"][0]["runs"][0]["val"];
  CHECK(decode(data["grids"][curve["x"].get<int>()], 1) ==
        std::vector<double>{0, 250, 500, 1000, 1500});
  const std::vector<double> back = decode(curve["y"], 1e-4), known = {4.1743, 1e9, -2.5, 1.0001, 0};
  REQUIRE(back.size() == known.size());
  for (std::size_t i = 0; i < known.size(); ++i) CHECK(std::abs(back[i] - known[i]) < 1e-6);
  CHECK(curve["y"][2] == -25000 - 10'000'000'000'000);
}

TEST_CASE("hostile texts leave the page whole", "[html]") {
  FakeResults fake;
  const std::string evil = "</script><img src=x onerror=alert(1)>\"' {{data}} \u2028 ünï";
  fake.change_plan(json({{"title", evil},
                         {"question", evil},
                         {"claims", {evil + " | full < bit"}},
                         {"command", "bitlab run " + evil},
                         {"references", {{{"name", evil}, {"loss", 2}}}}})
                       .dump());
  fake.add_arm("full", {1});
  fake.finish("full", 1, 1.8, 1.8);
  fake.set_status("full", 1, json({{"state", "failed"}, {"reason", evil}}).dump());
  write_file_atomic(fake.run("full", 1) / "config.toml", "[model]\nname = '''" + evil + "'''\n");
  write_file_atomic(fake.run("full", 1) / "provenance.json", json({{evil, evil}}).dump());
  const std::string page = html_page(load_results(fake.path()), {{evil, "<svg/>"}});
  CHECK_FALSE(contains(page, "<img src=x"));
  CHECK(count(page, "<script") == count(page, "</script>"));
  CHECK(contains(page, "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39; {{data}}"));
  if (has_interactive_curves()) CHECK(data_of(page).at("references").at(0).at("name") == evil);
}

TEST_CASE("the page asks for nothing outside itself", "[html]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  fake.finish("full", 1, 1.8, 1.8);
  const std::string page = html_page(load_results(fake.path()), {{"Loss curves", "<svg/>"}});
  const std::regex reference(R"re((?:src|href)="([^"]*)")re");
  for (std::sregex_iterator match(page.begin(), page.end(), reference), end; match != end;
       ++match) {
    const std::string target = (*match)[1];
    INFO(target);
    CHECK((target.starts_with("#") || target.starts_with("data:")));
  }
  CHECK_FALSE(contains(page, "@import"));
  CHECK(contains(page, "default-src 'none'"));
}

TEST_CASE("what is shared and what differs", "[html]") {
  FakeResults fake;
  for (const char* arm : {"full", "bit"}) {
    fake.add_arm(arm, {1});
    fake.finish(arm, 1, 1.8, 1.8);
    write_file_atomic(
        fake.run(arm, 1) / "config.toml",
        std::string("title = \"x\"\n[optim]\nlr = 1e-3  # default\n[model]\nlinear = \"") + arm +
            "\"  # arm\n");
  }
  for (const auto& [name, html] : page_parts(load_results(fake.path()))) {
    if (name != "settings") continue;
    CHECK(contains(html,
                   "<th scope=\"row\">model.linear</th><td>&quot;full&quot;</td><td>&quot;bit"));
    CHECK(contains(html, "<th scope=\"row\">optim.lr</th><td>1e-3</td><td>default</td>"));
    CHECK_FALSE(contains(html, "title"));
  }
}

TEST_CASE("in a sweep what varies is said once, and its points count as one arm", "[html]") {
  FakeResults fake;
  json arms = json::array();
  for (const char* arm : {"full", "bit"})
    for (const double lr : {0.001, 0.01}) {
      const std::string name = std::string(arm) + (lr < 0.005 ? " lr=0.001" : " lr=0.01");
      arms.push_back({{"name", name},
                      {"arm", arm},
                      {"axes", {{"optim.lr", lr}}},
                      {"dir", name + "-00000000"},
                      {"seeds", {1}}});
      write_file_atomic(
          fake.run(name, 1) / "config.toml",
          "[optim]\nlr = " + json(lr).dump() + "\n[model]\nlinear = \"" + arm + "\"\n");
    }
  fake.change_plan(json({{"format", 2}, {"arms", arms}}).dump());
  for (const auto& [name, html] : page_parts(load_results(fake.path()))) {
    if (name != "settings") continue;
    CHECK(contains(html, "<dt>optim.lr</dt><dd>0.001, 0.01</dd>"));
    CHECK(contains(html, "<th scope=\"col\">full</th><th scope=\"col\">bit</th>"));
    CHECK(count(html, "<tr>") == 2);
  }
}

TEST_CASE("a claim is shown once, with its judgement", "[html]") {
  FakeResults fake;
  for (const char* arm : {"full", "bit"}) fake.add_arm(arm, {1, 2, 3});
  for (int seed = 1; seed <= 3; ++seed) {
    fake.finish("full", seed, 1.80 + 0.01 * seed, 1.8);
    fake.finish("bit", seed, 1.90 + 0.011 * seed, 1.9);
  }
  fake.change_plan(R"({"claims": ["Ternary weights cost something | full < bit"]})");
  const std::string page = html_page(load_results(fake.path()), {});
  CHECK(count(page, "Ternary weights cost something") == 1);
  CHECK(contains(page, "<div class=\"claim supported\">"));
}

TEST_CASE("figures that would make the page too large are named, not shown", "[html]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  const std::string page =
      html_page(load_results(fake.path()),
                {{"Small", "<svg id='#1'/>"}, {"Large", std::string(130'000, 'x')}});
  CHECK(contains(page, "alt=\"Small\" src=\"data:image/svg+xml,&lt;svg id=&#39;%231&#39;/&gt;\""));
  CHECK(contains(page, "<li>Large</li>"));
  CHECK(page.size() < 150'000);
}

TEST_CASE("a page of 50 runs with 1000 points each is under 400 KB", "[html]") {
  FakeResults fake;
  const std::vector<std::int64_t> seeds = {1, 2, 3, 4, 5};
  for (int arm = 0; arm < 10; ++arm) {
    const std::string name = "arm" + std::to_string(arm);
    fake.add_arm(name, seeds);
    for (const std::int64_t seed : seeds) {
      std::vector<TrainRow> train;
      std::vector<EvalRow> eval;
      for (int i = 1; i <= 1000; ++i) {
        const double noise = std::sin(i * 12.9898 + seed * 78.233 + arm) * 43758.5453;
        const double jitter = 0.1 * (noise - std::floor(noise) - 0.5);
        train.push_back({50 * i, 25600 * i, 0.5 * i + jitter, 1.5 + 3.0 / (1 + i / 40.0) + jitter,
                         1e-3, 1 + 5 * jitter});
        if (i % 5 == 0)
          eval.push_back({50 * i, "val", 1.6 + 3.0 / (1 + i / 40.0) + jitter, 0.01, 9});
      }
      fake.write_metrics(name, seed, eval, train);
      fake.set_status(name, seed);
      write_file_atomic(fake.run(name, seed) / "DONE", "now\n");
    }
  }
  const Results results = load_results(fake.path());
  const std::string page = html_page(results, {{"Loss curves", std::string(100'000, 'x')}});
  CHECK(page.size() < 400'000);
  // Not by leaving points out: the highest and the lowest of every run's losses are there.
  const json data = json::parse(page_data(results));
  CHECK(data.at("columns").is_number());
  for (std::size_t arm = 0; arm < results.arms.size(); ++arm)
    for (std::size_t run = 0; run < seeds.size(); ++run) {
      double low = INFINITY, high = -INFINITY;
      for (const TrainRow& row : results.arms[arm].runs[run].train) {
        low = std::min(low, row.loss);
        high = std::max(high, row.loss);
      }
      const std::vector<double> shown =
          decode(data.at("arms")[arm].at("runs")[run].at("train").at("y"), 1e-3);
      CHECK(std::abs(*std::min_element(shown.begin(), shown.end()) - low) < 1e-3);
      CHECK(std::abs(*std::max_element(shown.begin(), shown.end()) - high) < 1e-3);
    }
}

TEST_CASE("mean and range over the seeds that are done", "[html]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2, 3});
  fake.finish("full", 1, 1.8, 1.7);
  fake.finish("full", 2, 2.0, 1.9);
  fake.write_metrics("full", 3, {{1000, "val", 9, 0, 1}});
  fake.set_status("full", 3, R"({"state": "failed", "reason": "diverged"})");
  const json arm = json::parse(page_data(load_results(fake.path()))).at("arms").at(0);
  const auto column = [&](const char* key) { return decode(arm["mean"]["val"][key], 1e-4); };
  REQUIRE(column("y").size() == 3);
  CHECK(std::abs(column("y")[2] - 1.9) < 1e-9);
  CHECK(std::abs(column("low")[2] - 1.8) < 1e-9);
  CHECK(std::abs(column("high")[2] - 2.0) < 1e-9);
  CHECK(arm["runs"][2]["state"] == "failed");
  CHECK(arm["runs"][2]["counts"] == false);
}

TEST_CASE("a page of runs that have not started is complete", "[html]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  const std::string page = html_page(load_results(fake.path()), {});
  CHECK(contains(page, "2 queued"));
  CHECK(contains(page, "full has not started"));
  CHECK(contains(page, "No run has started yet."));
}

}  // namespace
}  // namespace bitlab
