"""Sums the test cases of all programs in a meson testlog.json, Catch2's and those of Python's unittest.
'N passed, N failed' is the last line."""

import json
import re
import sys

ALL_PASSED = re.compile(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)", re.M)
PYTHON = re.compile(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED)(?: \((.*)\))?", re.M)  # unittest: "failures=1, errors=2"
SOME_FAILED = re.compile(r"^test cases: (.*)$", re.M)  # "5 | 4 passed | 1 failed", the zero ones are left out


def cases(output, returncode):
    """Passed and failed test cases of one program."""
    passed = failed = 0
    if match := ALL_PASSED.search(output):
        passed = int(match.group(1))
    elif match := SOME_FAILED.search(output):
        counts = {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed)\b(?! as expected)", match.group(1))}
        passed, failed = counts.get("passed", 0), counts.get("failed", 0)
    elif match := PYTHON.search(output):
        counts = {kind: int(n) for kind, n in re.findall(r"(\w+)=(\d+)", match.group(2) or "")}
        failed = counts.get("failures", 0) + counts.get("errors", 0)
        passed = int(match.group(1)) - failed - counts.get("skipped", 0)
    if returncode != 0 and failed == 0:
        failed = 1  # it crashed, or ran out of time
    return passed, failed


def main():
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            if test["result"] == "SKIP":
                print(f"{test['name']}: {(test.get('stdout') or 'skipped').strip()}")
            output = (test.get("stdout") or "") + (test.get("stderr") or "")
            more = cases(output, 0 if test["result"] in ("OK", "SKIP") else 1)
            if more[1] > 0:
                print(f"{test['name']}: {more[0]} passed, {more[1]} failed ({test['result']})")
            passed += more[0]
            failed += more[1]
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
