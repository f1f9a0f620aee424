#include "report/html.h"

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

std::string paragraphs(const std::string& lines) {
  std::istringstream in(lines);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out += "<p>" + escape_html(line) + "</p>\n";
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

// As an image with its own names inside, so that no two pictures get into each other's way.
std::string figure_html(const PageFigure& figure) {
  return "<figure><img alt=\"" + escape_html(figure.title) + "\" src=\"data:image/svg+xml;base64," +
         base64(figure.svg) + "\"><figcaption>" + escape_html(figure.title) +
         "</figcaption></figure>\n";
}

std::string figures_html(const std::vector<PageFigure>& figures) {
  if (figures.empty()) return "";
  std::string out = "<section id=\"figures\"><h2>Figures</h2>\n";
  for (const PageFigure& figure : figures) out += figure_html(figure);
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
  return {{"progress", progress_html(results)},     {"verdict", paragraphs(verdict(results))},
          {"claims", claims_html(results)},         {"table", arm_table_html(results)},
          {"runs", run_table_html(results)},        {"settings", settings_html(results)},
          {"provenance", provenance_html(results)}, {"reproduce", reproduce_html(results)}};
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
  values["data"] = has_interactive_curves() ? packed_data(page_data(results)) : "";
  return fill_template(kPageTemplate, values);
}

std::string html_index(const std::vector<Overview>& experiments, const std::string& live) {
  std::map<std::string, std::string> values = {{"experiments", experiments_html(experiments)}};
  add_frame({std::string(kPageScript)}, live, values);
  return fill_template(kIndexTemplate, values);
}

}  // namespace bitlab
