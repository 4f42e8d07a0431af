#!/usr/bin/env bash
# tools/run_tests.sh PRESET [ctest arguments]: runs the tests of a preset that has been built, and
# ends with one line that says how many ran, passed and failed.
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:?which preset: dev, asan or tsan}
shift
results=build/$preset/results.xml
rm -f "$results"
ctest --preset "$preset" --output-junit "$PWD/$results" "$@"
status=$?
python3 - "$results" <<'PYTHON' || exit 1
import sys
import xml.etree.ElementTree as xml

suite = xml.parse(sys.argv[1]).getroot()
ran, failed = int(suite.get("tests")), int(suite.get("failures"))
skipped = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
seconds = float(suite.get("time", 0))
passed = ran - failed - skipped
print(f"tests: {ran} ran, {passed} passed, {failed} failed, {skipped} skipped, {seconds:.0f} s")
PYTHON
exit "$status"
