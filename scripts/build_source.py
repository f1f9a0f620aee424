#!/usr/bin/env python3
"""scripts/build_source.py SOURCE_ROOT BUILD_ROOT OUT.cpp: writes what the binary is built from, as C++.

Run by every build: the commit, whether what is compiled differs from it, that difference, and the compiler's flags as
they stand in compile_commands.json. OUT.cpp is left alone if nothing changed, so that nothing is compiled again.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

# What can change the binary. A README that was edited makes no build dirty.
COMPILED = ["core", "layers", "experiments", "report", "cli", "meson.build", "meson_options.txt"]


def git(root, *args, index=None):
    environment = dict(os.environ, LC_ALL="C", **({"GIT_INDEX_FILE": index} if index else {}))
    # The folder may belong to another user (a container that builds as root).
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *args]
    done = subprocess.run(command, capture_output=True, env=environment)
    return done.stdout if done.returncode == 0 else None


def difference(root):
    """Against the commit, with files that git does not know yet; the index of the user is left as it is."""
    with tempfile.TemporaryDirectory() as folder:
        index = os.path.join(folder, "index")
        git(root, "read-tree", "HEAD", index=index)
        there = [path for path in COMPILED if (root / path).exists()]
        git(root, "add", "--intent-to-add", "--", *there, index=index)
        return git(root, "diff", "--no-color", "--no-ext-diff", "--binary", "HEAD", "--", *COMPILED, index=index) or b""


def flags(build, wanted):
    """The compiler's flags of the first file that `wanted` takes: without files, folders and warnings."""
    commands = build / "compile_commands.json"
    for entry in json.loads(commands.read_text()) if commands.exists() else []:
        if not wanted(entry):
            continue
        words = shlex.split(entry["command"])
        kept = []
        for i, word in enumerate(words):
            if word in ("-o", "-c", "-MF", "-MQ") or words[i - 1] in ("-o", "-c", "-MF", "-MQ", "-isystem"):
                continue
            if word.startswith("-") and not word.startswith(("-I", "-isystem", "-W", "-M", "-fdiagnostics")):
                kept.append(word)
        return " ".join(kept)
    return "unknown"


def literal(data):
    """A C++ string literal, a line for a line."""
    def escape(byte):
        if byte in (0x22, 0x5C):
            return "\\" + chr(byte)
        return chr(byte) if 0x20 <= byte < 0x7F and byte != 0x3F else f"\\{byte:03o}"  # ?: no trigraphs

    lines = data.splitlines(keepends=True) or [b""]
    return "\n    ".join('"' + "".join(map(escape, line)) + '"' for line in lines)


def main():
    root, build, out = map(pathlib.Path, sys.argv[1:])
    commit = (git(root, "rev-parse", "HEAD") or b"unknown").decode().strip()
    diff = difference(root) if commit != "unknown" else b""
    tables = ["portable", "avx2", "avx512vnni"]
    kernel_flags = {t: flags(build, lambda e: f"-DBITLAB_SIMD_NAME={t}" in e["command"] and
                             "-DBITLAB_DOUBLE" not in e["command"]) for t in tables}
    pairs = "\n".join(f'      {{"{t}", {literal(f.encode())}}},' for t, f in kernel_flags.items() if f != "unknown")
    library = flags(build, lambda e: e["file"].endswith("experiments/provenance.cpp"))
    text = f"""// Made by scripts/build_source.py.
#include "experiments/build_source.h"

namespace bitlab {{

const BuildSource& build_source() {{
  static const BuildSource source = {{
    {literal(commit.encode())},
    std::string({literal(diff)}, {len(diff)}),
    {literal(library.encode())},
    {{
{pairs}
    }},
  }};
  return source;
}}

}}  // namespace bitlab
"""
    if not out.exists() or out.read_text() != text:
        out.write_text(text)


if __name__ == "__main__":
    main()
