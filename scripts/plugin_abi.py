"""plugin_abi.py SOURCE_ROOT OUTPUT: a header with a hash of all public headers. A plugin says which one it was built
with, so that one of other headers is refused. The output is left alone if nothing changed."""

import hashlib
import pathlib
import sys


def main():
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    digest = hashlib.sha256()
    for room in ("core", "layers", "experiments"):
        for header in sorted((root / room).rglob("*.h")):
            digest.update(str(header.relative_to(root)).encode() + b"\0" + header.read_bytes() + b"\0")
    text = f'#pragma once\n#define BITLAB_ABI_HEADERS "{digest.hexdigest()[:8]}"\n'
    if not output.exists() or output.read_text() != text:
        output.write_text(text)


main()
