"""check.py BITLAB SOURCE_ROOT: completion in the real shells that are installed (bash at least), and the man page.

Ends with the line that count_tests.py counts: 'All tests passed (N assertions in N test cases)', or fails.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

BITLAB = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(sys.argv[2])

# What is typed -> some of what must be offered (whole words), and something that must not.
CASES = [
    ("bitlab pl", ["plugins"], "run"),
    ("bitlab run babygpt", ["babygpt-vs-babybitnet"], "nanogpt-cpu"),
    ("bitlab run babygpt-vs-babybitnet optim.l", ["optim.lr="], "train.steps="),
    ("bitlab run --jobs 2 babygpt-vs-babybitnet model.n_l", ["model.n_layer="], "optim.lr="),
    ("bitlab run babygpt-vs-babybitnet schedule.name=co", ["constant", "cosine"], "linear"),
    ("bitlab config babygpt-vs-babybitnet model.bitlinear.output_scale=", ["true", "false"], "1"),
    ("bitlab run --retry", ["--retry-failed"], "--jobs"),
    ("bitlab data ", ["list", "get", "path", "verify"], "tinyshakespeare"),
    ("bitlab data get t", ["tinyshakespeare"], "list"),
    ("bitlab bench ", ["train"], "babygpt-vs-babybitnet"),
    ("bitlab bench train nano", ["nanogpt-cpu"], "train"),
    ("bitlab completion ", ["bash", "zsh", "fish"], "NAME"),
]


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)


def in_bash(line):
    # bash shows only what stands after the last '='.
    script = f"""
source <({BITLAB} completion bash)
COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
compopt() {{ :; }}
_bitlab
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return run("bash", "--norc", "-c", script).stdout.split("\n")


def in_fish(line):
    out = run("fish", "--no-config", "-c", f"bitlab completion fish | source; complete -C '{line}'").stdout
    return [answer.split("\t")[0] for answer in out.split("\n")]


def in_zsh(line):
    # A pseudo terminal: type the line and ask for the list.
    script = r"""
zmodload zsh/zpty
zpty z "PS1='ready> ' zsh -f -i"
zpty -w z 'autoload -Uz compinit && compinit -u -D; source <(bitlab completion zsh); LISTMAX=0; zstyle ":completion:*" list-prompt ""; zstyle ":completion:*" menu no; bindkey "^X" list-choices; stty rows 500 cols 300; echo set"" up'
zpty -r -m z w '*set up*'
zpty -n -w z "$1"$'\x18'
sleep 2
zpty -n -w z $'\x15echo fin""ished\n'
zpty -r -m z w '*finished*'
print -r -- "$w"
"""
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", run("zsh", "-f", "-c", script, "zsh", line).stdout)
    return [words[0] for words in map(str.split, shown.splitlines()) if words]


def check(name, holds, detail, failures):
    if not holds:
        failures.append(f"{name}: {detail}")
    return 1


def main():
    failures, checks = [], 0
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(BITLAB, os.path.join(folder, "bitlab"))
        os.environ.update(PATH=folder + os.pathsep + os.environ["PATH"], BITLAB_HOME=ROOT, BITLAB_RESULTS=folder)
        os.environ["TERM"] = "xterm"
        shells = [s for s in ("bash", "fish", "zsh") if shutil.which(s)]
        for shell in shells:
            for line, wanted, unwanted in CASES:
                answers = {"bash": in_bash, "fish": in_fish, "zsh": in_zsh}[shell](line)
                ends = [a.rsplit("=", 1)[1] if "=" in a[:-1] else a for a in answers]
                missing = [w for w in wanted if w not in ends]
                checks += check(f"{shell}, {line!r}", not missing, f"must offer {missing}, but offers {ends}", failures)
                checks += check(f"{shell}, {line!r}", unwanted not in ends, f"must not offer {unwanted}", failures)

        # Every verb for people names its options: it calls parse_options() before it does anything.
        verbs = [v.split("\t")[0] for v in run(BITLAB, "__complete", "").stdout.splitlines()]
        checks += check("verbs", len(verbs) >= 12, f"are {verbs}", failures)
        for verb in verbs:
            options = run(BITLAB, "__complete", verb, "--").stdout
            checks += check(f"bitlab {verb} --", "--help\t" in options, f"must offer --help, but gives {options}", failures)

    page = run(BITLAB, "__man").stdout
    for tool in (["groff", "-man", "-Tutf8", "-ww", "-z"], ["mandoc", "-Tlint", "-Wwarning"]):
        if shutil.which(tool[0]):
            result = run(*tool, input=page)
            text = result.stdout + result.stderr
            checks += check(tool[0], result.returncode == 0 and not text, text, failures)
    for verb in verbs:
        checks += check("man page", f".SS bitlab {verb}" in page, f"must tell of {verb}", failures)

    for failure in failures:
        print(failure)
    if failures:
        print(f"test cases: 1 | 1 failed\n{len(failures)} of {checks} assertions failed")
        return 1
    print(f"shells: {', '.join(shells)}")
    print(f"All tests passed ({checks} assertions in 1 test case)")
    return 0


sys.exit(main())
