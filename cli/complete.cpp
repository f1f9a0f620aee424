#include "cli/complete.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <sstream>

#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/verbs.h"
#include "core/data/sources.h"
#include "experiments/plan.h"
#include "report/index.h"

namespace bitlab {

namespace {

using Candidates = std::vector<Candidate>;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

bool is_literal(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || c == '-';
  });
}

void add_all(Candidates& to, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) to.push_back({text, ""});
}

// "--jobs" and "-j" both.
const VerbOption* find_option(const std::vector<VerbOption>& options, const std::string& word) {
  for (const VerbOption& option : options)
    if (word == "--" + option.name || (!option.letter.empty() && word == "-" + option.letter))
      return &option;
  return nullptr;
}

// The words that are no options and no values of options.
std::vector<std::string> plain_words(const std::vector<std::string>& words,
                                     const std::vector<VerbOption>& options) {
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const VerbOption* option = find_option(options, words[i]);
    if (option && !option->value.empty())
      ++i;  // its value
    else if (!words[i].starts_with("-"))
      plain.push_back(words[i]);
  }
  return plain;
}

void add_runs(Candidates& to) {
  for (const auto& folder : experiment_folders(results_root()))
    for (const RunPlace& place : run_places(folder))
      to.push_back({place.id, place.experiment + " " + place.dir.parent_path().filename().string() +
                                  " " + place.dir.filename().string()});
}

void add_results(Candidates& to) {
  for (const auto& folder : experiment_folders(results_root()))
    to.push_back({folder.filename().string(), "in " + results_root().string()});
}

// Every setting of every arm as path=, or once that is typed the values that it may have.
void add_settings(Candidates& to, const std::string& experiment, const std::string& typed) {
  const std::size_t equals = typed.find('=');
  const std::string path = typed.substr(0, equals);
  for (const Arm& arm :
       load_experiment(plan_target(experiment, project_root()), {}, project_root()).arms)
    for (const FieldState& field : arm.fields) {
      if (equals == std::string::npos) {
        to.push_back({field.path + "=", field.info.help + " (" + field.toml + ")"});
      } else if (field.path == path) {
        for (const std::string& choice : field.info.choices)
          to.push_back({path + "=" + choice, ""});
        if (field.type == "boolean") add_all(to, {path + "=true", path + "=false"});
      }
    }
}

// What the usage line of a verb says of the word at `position`.
Candidates by_usage(const Verb& verb,
                    const std::vector<std::string>& before,
                    const std::string& typed) {
  Candidates found;
  const bool configs =
      std::string(verb.group) == "Experiments" || std::string(verb.name) == "bench";
  for (const std::string& alternative : split(verb.usage, '|')) {
    std::vector<std::string> tokens = split(alternative, ' ');
    const bool fixed = !tokens.empty() && is_literal(tokens.front());
    const std::size_t position = before.size();
    if (fixed && position > 0 && before.front() != tokens.front()) continue;
    if (position >= tokens.size()) continue;
    std::string token = tokens[position];
    std::erase_if(token, [](char c) { return c == '[' || c == ']'; });
    if (token.starts_with("-")) continue;
    if (is_literal(token)) {
      found.push_back({token, ""});
    } else if (token == "PRESET") {
      add_all(found, model_presets(project_root()));
    } else if (token == "NAME" && std::string(verb.name) == "data") {
      add_all(found, data_sources().names());
    } else if (token == "NAME" && configs) {
      add_all(found, experiment_names(project_root()));
    } else if (token == "NAME") {
      add_results(found);
    } else if (token == "RUN") {
      add_runs(found);
    }
  }
  // path=value comes as often as one likes, after the experiment.
  if (std::string(verb.usage).find("path=value") != std::string::npos && !before.empty()) {
    const std::size_t name = std::string(verb.name) == "bench" ? 1 : 0;
    if (before.size() > name) add_settings(found, before[name], typed);
  }
  return found;
}

Candidates candidates(const std::vector<std::string>& words) {
  Candidates found;
  const std::string& typed = words.back();
  if (words.size() == 1) {
    for (const Verb& verb : verbs())
      if (*verb.group) found.push_back({verb.name, verb.summary});
    return found;
  }
  const Verb* verb = find_verb(words.front());
  if (!verb || !*verb->group) return found;
  const std::vector<VerbOption> options = options_of(*verb);
  const VerbOption* before =
      words.size() > 2 ? find_option(options, words[words.size() - 2]) : nullptr;
  if (before && !before->value.empty()) {
    if (before->value.find('|') != std::string::npos) add_all(found, split(before->value, '|'));
    return found;
  }
  if (typed.starts_with("-")) {
    for (const VerbOption& option : options) found.push_back({"--" + option.name, option.help});
    return found;
  }
  return by_usage(*verb, plain_words({words.begin() + 1, words.end() - 1}, options), typed);
}

}  // namespace

std::vector<Candidate> complete(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  try {
    Candidates found = candidates(words), kept;
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.text < b.text; });
    for (Candidate& c : found) {
      const bool twice = !kept.empty() && kept.back().text == c.text;
      if (c.text.starts_with(words.back()) && !twice) kept.push_back(std::move(c));
    }
    return kept;
  } catch (const std::exception&) {
    return {};  // an experiment that cannot be read has no settings to offer
  }
}

}  // namespace bitlab
