#pragma once
// The verbs of `bitlab`, once: the help, the man page and the shell completion come from here.
#include <string>
#include <vector>

namespace bitlab {

struct Verb {
  const char* group;  // heading in the help; empty: not for people
  const char* name;
  const char* usage;  // what stands after the name; completion knows NAME, RUN, FILE, path=value
  const char* summary;
  int (*command)(const std::vector<std::string>& args);
};

const std::vector<Verb>& verbs();

// Null if there is none.
const Verb* find_verb(const std::string& name);

// One option of a verb.
struct VerbOption {
  std::string name;    // without the dashes
  std::string letter;  // of its short form, or empty
  std::string value;   // what it takes, for the help: "N", "md|csv|json" (choices); empty: nothing
  std::string help;
};

// The options of a verb, without those that only collect its words. Runs the verb up to its
// parse_options(), which is why every verb calls that before it does anything.
std::vector<VerbOption> options_of(const Verb& verb);

}  // namespace bitlab
