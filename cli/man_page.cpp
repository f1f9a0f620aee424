// bitlab __man: the man page, from the verbs and their options. The build installs it.
#include <cctype>
#include <iostream>

#include "cli/commands.h"
#include "cli/verbs.h"
#include "experiments/build_info.h"

namespace bitlab {

namespace {

// For roff: no hyphenation of dashes, no escapes, no requests at the beginning of a line.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

void show_option(const VerbOption& option) {
  std::cout << ".TP\n";
  if (!option.letter.empty()) std::cout << "\\fB\\-" << option.letter << "\\fR, ";
  std::cout << "\\fB\\-\\-" << roff(option.name) << "\\fR";
  if (!option.value.empty()) std::cout << " \\fI" << roff(option.value) << "\\fR";
  std::cout << "\n" << roff(option.help) << "\n";
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

int man_command(const std::vector<std::string>&) {
  std::cout << ".TH BITLAB 1 \"\" \"bitlab " << kBuildVersion << "\" \"bitlab\"\n"
            << ".SH NAME\nbitlab \\- experiments with ternary transformers\n"
            << ".SH SYNOPSIS\n.B bitlab\n.I VERB\n[...]\n.br\n.B bitlab\n.I VERB\n.B \\-\\-help\n"
            << ".SH DESCRIPTION\nAn experiment is a TOML file: arms to compare, seeds, settings. "
               "bitlab trains what is not done of it and shows losses, tables and a verdict. Every "
               "setting can be given on the command line as\n.IR path = value .\n";
  std::string group;
  for (const Verb& verb : verbs()) {
    if (!*verb.group) continue;
    if (group != verb.group) std::cout << ".SH " << upper(group = verb.group) << "\n";
    std::cout << ".SS bitlab " << verb.name << " " << roff(verb.usage) << "\n"
              << roff(verb.summary) << "\n";
    for (const VerbOption& option : options_of(verb))
      if (option.name != "help") show_option(option);
  }
  std::cout
      << ".SH EXIT STATUS\n"
         ".TP\n0\nall is well\n.TP\n1\na run or check failed\n.TP\n2\nthe request was wrong and "
         "nothing was run\n.TP\n130, 143\nstopped by a signal, with the state saved\n"
         ".SH ENVIRONMENT\n"
         ".TP\nBITLAB_HOME\nthe folder with configs/\n.TP\nBITLAB_RESULTS\nwhere runs land\n"
         ".TP\nBITLAB_CACHE\nwhere fetched data is kept\n.TP\nBITLAB_MIRROR\nfolders, separated "
         "by ':', that are searched for data first\n.TP\nBITLAB_KERNELS\nthe kernels to use: "
         "avx512vnni, avx2 or portable\n";
  return 0;
}

}  // namespace bitlab
