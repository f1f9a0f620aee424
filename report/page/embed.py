#!/usr/bin/env python3
"""embed.py PAGE_DIR UPLOT_DIR OUTPUT DEPFILE: the files of the report page as C++ constants (page_files.h).

UPLOT_DIR is the npm package uplot. Where it is missing, its constants are empty and a notice says so: the page then
has static pictures only. The depfile names its files all the same, so that a later build takes them in."""

import pathlib
import sys

PAGE = {"kPageTemplate": "template.html", "kIndexTemplate": "index.html", "kPageStyle": "style.css",
        "kCurvesScript": "curves.js", "kPageScript": "page.js"}
UPLOT = {"kUplotLicense": "LICENSE", "kUplotScript": "dist/uPlot.iife.min.js", "kUplotStyle": "dist/uPlot.min.css"}


def constant(name, text):
    if ')bitlab"' in text or (name.endswith("Script") and "</script" in text.lower()):
        sys.exit(f"embed.py: {name} holds a mark that would end it early")
    pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)] or [""]
    return f"const std::string_view {name} =\n" + "\n".join(f'R"bitlab({piece})bitlab"' for piece in pieces) + ";\n"


def main():
    page, uplot, output, depfile = map(pathlib.Path, sys.argv[1:])
    texts = {name: (page / file).read_text(encoding="utf-8") for name, file in PAGE.items()}
    if all((uplot / file).exists() for file in UPLOT.values()):
        texts |= {name: (uplot / file).read_text(encoding="utf-8").strip() + "\n" for name, file in UPLOT.items()}
    else:
        print(f"notice: no uPlot in {uplot}: report pages of this build have no interactive curves; "
              "scripts/setup fetches it with npm")
        texts |= dict.fromkeys(UPLOT, "")
    output.write_text('#include "report/page/page_files.h"\n\nnamespace bitlab {\n\n'
                      + "\n".join(constant(name, text) for name, text in texts.items()) + "\n}  // namespace bitlab\n",
                      encoding="utf-8")
    inputs = [page / file for file in PAGE.values()] + [uplot / file for file in UPLOT.values()]
    depfile.write_text(f"{output}: " + " ".join(str(path).replace(" ", "\\ ") for path in inputs) + "\n",
                       encoding="utf-8")


if __name__ == "__main__":
    main()
