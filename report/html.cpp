#include "report/html.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "report/claims.h"
#include "report/html_data.h"
#include "report/html_parts.h"
#include "report/html_text.h"
#include "report/page/page_files.h"
#include "report/verdict.h"

namespace bitlab {

namespace {

constexpr std::size_t kPageBytes = 390'000;    // tables alone may make a page larger
constexpr std::size_t kFigureBytes = 120'000;  // all figures together
constexpr std::size_t kLeastDataBytes = 120'000;
constexpr std::size_t kVerdictLines = 8, kFirstLines = 3, kLastLines = 3;

// A long verdict, of a sweep, begins and ends in sight.
std::string paragraphs(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back("<p>" + escape_html(line) + "</p>\n");
  const bool folded = lines.size() > kVerdictLines;
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (folded && i == kFirstLines)
      out += "<details><summary>" + std::to_string(lines.size() - kFirstLines - kLastLines) +
             " more comparisons</summary>\n";
    if (folded && i == lines.size() - kLastLines) out += "</details>\n";
    out += lines[i];
  }
  return out;
}

// Each claim with what was measured and what that says.
std::string claims_html(const Results& results) {
  std::string out;
  for (const Finding& finding : judge_claims(results)) {
    const std::string judgement = to_string(finding.judgement);
    out += "<div class=\"claim " + judgement.substr(0, judgement.find(' ')) +
           "\"><p>Claim: " + escape_html(finding.claim) + "</p><p><b>" + escape_html(judgement) +
           "</b> " + escape_html(finding.measured) + "</p><p class=\"note\">Tested as <code>" +
           escape_html(finding.test) + "</code></p></div>\n";
  }
  return out;
}

// A picture as the URL of itself; shorter than base64. Line breaks, which URLs drop, become spaces.
std::string svg_url(const std::string& svg) {
  std::string url = "data:image/svg+xml,";
  for (const char c : svg) {
    if (c == '%')
      url += "%25";
    else if (c == '#')
      url += "%23";
    else
      url += c == '\n' ? ' ' : c;
  }
  return url;
}

// As images with their own names inside, so that no two pictures get into each other's way.
std::string figures_html(const std::vector<PageFigure>& figures) {
  if (figures.empty()) return "";
  std::string out = "<section id=\"figures\"><h2>Figures</h2>\n", left_out;
  std::size_t bytes = 0;
  for (const PageFigure& figure : figures) {
    const std::string title = escape_html(figure.title), url = escape_html(svg_url(figure.svg));
    if (bytes + url.size() > kFigureBytes) {
      left_out += "<li>" + title + "</li>";
      continue;
    }
    bytes += url.size();
    out += "<figure><img alt=\"" + title + "\" src=\"" + url + "\"><figcaption>" + title +
           "</figcaption></figure>\n";
  }
  if (!left_out.empty())
    out += "<p>Too large for this page, but in the folder that it was written to:</p><ul>" +
           left_out + "</ul>\n";
  return out + "</section>\n";
}

// Nothing is fetched, nothing runs but the page's own scripts, whatever text gets into it.
std::string content_policy(const std::vector<std::string>& scripts, bool live) {
  std::string policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src";
  for (const std::string& script : scripts) policy += " '" + script_hash(script) + "'";
  return policy + (live ? "; connect-src 'self'" : "") + "; base-uri 'none'; form-action 'none'";
}

// What every page has: scripts and their policy, style, and where to ask for what is new.
void add_frame(const std::vector<std::string>& scripts,
               const std::string& live,
               std::map<std::string, std::string>& values) {
  for (const std::string& script : scripts)
    values["scripts"] += "<script>" + script + "</script>\n";
  values["policy"] = content_policy(scripts, !live.empty());
  values["style"] = std::string(kUplotStyle) + std::string(kPageStyle);
  values["live"] = live.empty() ? "" : " data-live=\"" + escape_html(live) + "\"";
}

}  // namespace

bool has_interactive_curves() { return !kUplotScript.empty(); }

std::vector<std::pair<std::string, std::string>> page_parts(const Results& results) {
  return {{"progress", progress_html(results)},
          {"verdict", paragraphs(verdict_without_claims(results))},
          {"claims", claims_html(results)},
          {"table", arm_table_html(results) + scaling_html(results) + classification_html(results)},
          {"runs", run_table_html(results)},
          {"settings", settings_html(results)},
          {"provenance", provenance_html(results)},
          {"reproduce", reproduce_html(results)}};
}

std::string html_page(const Results& results,
                      const std::vector<PageFigure>& figures,
                      const std::string& live) {
  std::map<std::string, std::string> values;
  for (const auto& [name, html] : page_parts(results)) values[name] = html;
  std::vector<std::string> scripts;
  if (has_interactive_curves())
    scripts = {"/*\n" + std::string(kUplotLicense) + "*/\n" + std::string(kUplotScript),
               std::string(kCurvesScript)};
  scripts.push_back(std::string(kPageScript));
  add_frame(scripts, live, values);
  values["home"] = live.empty() ? "bitlab" : "<a href=\"/\">bitlab: all experiments</a>";
  values["title"] = escape_html(results.title);
  values["experiment"] = escape_html(results.experiment);
  values["question"] = results.question.empty()
                           ? ""
                           : "<p class=\"question\">" + escape_html(results.question) + "</p>";
  values["figures"] = figures_html(figures);
  values["curves"] = has_interactive_curves()
                         ? "<div id=\"curves\"><noscript><p>Interactive curves need JavaScript; "
                           "the figures below do not.</p></noscript></div>"
                         : "<p>This build of bitlab has no interactive curves, as uPlot could not "
                           "be had when it was made; scripts/setup fetches it with npm. The "
                           "figures below show the same data.</p>";
  std::size_t bytes = kPageTemplate.size();
  for (const auto& [name, value] : values) bytes += value.size();
  const std::size_t room = kPageBytes - std::min(kPageBytes, bytes);
  values["data"] = has_interactive_curves()
                       ? packed_data(page_data(results, std::max(room, kLeastDataBytes)))
                       : "";
  return fill_template(kPageTemplate, values);
}

std::string html_index(const std::vector<Overview>& experiments, const std::string& live) {
  std::map<std::string, std::string> values = {{"experiments", experiments_html(experiments)}};
  add_frame({std::string(kPageScript)}, live, values);
  return fill_template(kIndexTemplate, values);
}

}  // namespace bitlab
