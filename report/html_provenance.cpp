// Where the numbers come from, and how to get them again: provenance.json and status.json of the
// runs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "report/format.h"
#include "report/html_parts.h"
#include "report/html_text.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t kLongText = 200, kLongestText = 20'000;  // characters

struct Fact {
  std::string key;                               // "build.git"
  std::map<std::string, std::size_t> runs_with;  // value -> how many runs have it
};

// The facts of all runs, in the order of the first file that has them.
class Facts {
 public:
  void add(const ordered_json& json, const std::string& prefix = "") {
    for (const auto& [key, value] : json.items()) {
      const std::string path = prefix + key;
      if (value.is_object())
        add(value, path + ".");
      else if (!is_left_out(path))
        ++fact(path).runs_with[text_of(value)];
    }
  }

  std::vector<Fact> facts;
  std::size_t runs = 0;
  std::set<std::string> times;  // ISO 8601: in the order of time

 private:
  // Said elsewhere on the page, or of one run's moment.
  static bool is_left_out(const std::string& path) {
    static const std::set<std::string> keys = {"experiment",
                                               "arm",
                                               "seed",
                                               "started",
                                               "ended",
                                               "command",
                                               "argv",
                                               "attempts",
                                               "build.commit",
                                               "build.diff_taken",
                                               "data.train_tokens",
                                               "data.val_tokens",
                                               "data.bytes"};
    return keys.contains(path);
  }

  static std::string text_of(const ordered_json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null() || (value.is_array() && value.empty())) return "";
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }

  Fact& fact(const std::string& key) {
    const auto found =
        std::find_if(facts.begin(), facts.end(), [&](const Fact& f) { return f.key == key; });
    if (found != facts.end()) return *found;
    facts.push_back({key, {}});
    return facts.back();
  }
};

fs::path run_dir(const Results& results, const ArmResult& arm, const SeedResult& run) {
  return results.folder / arm.dir / ("seed-" + std::to_string(run.seed));
}

// What a file of a run says; nothing if it is missing or damaged (its state says so).
ordered_json read_json(const fs::path& path) {
  if (!fs::exists(path)) return ordered_json::object();
  ordered_json json = ordered_json::parse(read_file(path), nullptr, false);
  return json.is_object() ? json : ordered_json::object();
}

Facts facts_of(const Results& results) {
  Facts facts;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      const fs::path dir = run_dir(results, arm, run);
      const ordered_json provenance = read_json(dir / "provenance.json");
      if (provenance.empty()) continue;
      ++facts.runs;
      facts.add(provenance);
      const ordered_json status = read_json(dir / "status.json");
      for (const char* key : {"started", "ended"})
        if (const auto at = status.find(key);
            at != status.end() && at->is_string() && !at->get<std::string>().empty())
          facts.times.insert(at->get<std::string>());
    }
  return facts;
}

std::string value_html(const std::string& value) {
  if (value.size() <= kLongText && value.find('\n') == value.npos)
    return "<code>" + escape_html(value) + "</code>";
  std::string text = value.substr(0, kLongestText);
  if (text.size() < value.size()) text += "\n... the whole text is in provenance.json";
  return "<details><summary>" + format_count(static_cast<std::int64_t>(value.size())) +
         " characters</summary><pre>" + escape_html(text) + "</pre></details>";
}

std::string fact_html(const Fact& fact, std::size_t runs) {
  std::string values;
  for (const auto& [value, count] : fact.runs_with) {
    if (value.empty()) continue;
    values += "<dd>" + value_html(value);
    if (count != runs) values += fmt::format(" <small>({} of {} runs)</small>", count, runs);
    values += "</dd>";
  }
  return values.empty() ? "" : "<dt>" + escape_html(fact.key) + "</dt>" + values + "\n";
}

// The one commit of all runs, if it is clean.
std::string clean_commit(const Facts& facts) {
  for (const Fact& fact : facts.facts)
    if (fact.key == "build.git" && fact.runs_with.size() == 1) {
      const std::string& commit = fact.runs_with.begin()->first;
      if (!commit.empty() && commit.find_first_not_of("0123456789abcdef") == commit.npos)
        return commit;
    }
  return "";
}

}  // namespace

std::string provenance_html(const Results& results) {
  const Facts facts = facts_of(results);
  if (facts.runs == 0) return "<p>No run has started yet.</p>\n";
  std::string out = "<dl>\n";
  const DataUsed& data = results.data;
  out += fmt::format(
      "<dt>data</dt><dd>{}: {} training and {} validation {}s, {} kinds</dd><dd>sha256 "
      "<code>{}</code></dd>\n",
      escape_html(data.source), format_count(data.train_tokens), format_count(data.val_tokens),
      escape_html(data.unit), format_count(data.vocab_size), escape_html(data.sha256));
  for (const Fact& fact : facts.facts)
    if (fact.key.rfind("data.s", 0) != 0 || fact.runs_with.size() > 1)  // said above
      out += fact_html(fact, facts.runs);
  if (!facts.times.empty())
    out += "<dt>first start</dt><dd>" + escape_html(*facts.times.begin()) +
           "</dd><dt>last change</dt><dd>" + escape_html(*facts.times.rbegin()) + "</dd>\n";
  return out + "</dl>\n";
}

std::string reproduce_html(const Results& results) {
  const std::string commit = clean_commit(facts_of(results));
  std::string commands;
  if (!commit.empty()) commands += "git checkout " + commit + "\n";
  commands += "scripts/" + results.command + "\n";
  std::string out =
      "<p>In a clone of bitlab:</p>\n<pre class=\"commands\">" + escape_html(commands) + "</pre>\n";
  out += commit.empty()
             ? "<p>The runs are not all of one clean commit; the provenance above says what "
               "they are of.</p>\n"
             : "<p>The same commit gives the same losses, to the bit, on a machine with the same "
               "kernels.</p>\n";
  const std::string name = escape_html(results.experiment);
  out += "<p>One run alone, and whether its losses come out the same: <code>scripts/bitlab rerun " +
         name + "/ARM/SEED</code></p>\n";
  return out + "<p>This page again, from the run folders: <code>scripts/bitlab report " + name +
         "</code></p>\n";
}

}  // namespace bitlab
