// bitlab completion SHELL: a script that asks `bitlab __complete` at every key, so that it knows
// experiments, runs and settings as they are then.
#include <iostream>

#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/options.h"
#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

// Words are taken from the line itself: bash would cut them at '=' and ':'. It replaces only what
// stands after the last '=', so the part before is cut from the answers.
constexpr const char* kBash = R"sh(# bash completion for bitlab; made by `bitlab completion bash`
_bitlab() {
  local line=${COMP_LINE:0:COMP_POINT} words answer word cut=
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word=${words[-1]}
  [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && cut=${word%"${word##*=}"}
  COMPREPLY=()
  while IFS= read -r answer; do
    answer=${answer%%$'\t'*}
    COMPREPLY+=("${answer#"$cut"}")
    [[ $answer == *= ]] && compopt -o nospace
  done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _bitlab bitlab
)sh";

constexpr const char* kZsh = R"sh(#compdef bitlab
# zsh completion for bitlab; made by `bitlab completion zsh`
_bitlab() {
  local -a open closed open_texts closed_texts
  local line answer
  for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    answer=${line%%$'\t'*}
    [[ -n $answer ]] || continue
    if [[ $answer == *= ]]; then
      open+=("$answer") open_texts+=("${line/$'\t'/  }")
    else
      closed+=("$answer") closed_texts+=("${line/$'\t'/  }")
    fi
  done
  (( $#open )) && compadd -S '' -l -d open_texts -a open
  (( $#closed )) && compadd -l -d closed_texts -a closed
  (( $#open + $#closed )) || _files
}
if [[ $funcstack[1] == _bitlab ]]; then _bitlab "$@"; else compdef _bitlab bitlab; fi
)sh";

constexpr const char* kFish = R"sh(# fish completion for bitlab; made by `bitlab completion fish`
function __bitlab_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l answers ($words[1] __complete $words[2..-1] 2>/dev/null)
  if test (count $answers) -gt 0
    printf '%s\n' $answers
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c bitlab -f -a '(__bitlab_complete)'
)sh";

}  // namespace

int completion_command(const std::vector<std::string>& args) {
  std::vector<std::string> shells;
  po::options_description options("Options"), all;
  options.add_options()("help,h", "show this");
  all.add(options).add_options()("shell", po::value(&shells));
  if (parse_options("completion", args, all, "shell").count("help")) {
    std::cout << "usage: bitlab completion bash|zsh|fish\n\n"
                 "A completion script on standard output: verbs, options, experiments, runs, "
                 "settings and their choices.\n"
                 "  bash   source <(bitlab completion bash)\n"
                 "  zsh    source <(bitlab completion zsh), after compinit\n"
                 "  fish   bitlab completion fish | source\n"
                 "An installed bitlab has them in place.\n\n"
              << options;
    return 0;
  }
  const std::string shell = shells.size() == 1 ? shells.front() : "";
  const char* script = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  if (shell != "bash" && shell != "zsh" && shell != "fish")
    throw UsageError("bitlab completion", "must be followed by bash, zsh or fish");
  std::cout << script;
  return 0;
}

// Its words are somebody's unfinished command line and no options of its own.
int complete_command(const std::vector<std::string>& args) {
  for (const Candidate& c : complete(args))
    std::cout << c.text << (c.help.empty() ? "" : "\t" + c.help) << "\n";
  return 0;
}

}  // namespace bitlab
