#!/usr/bin/env python3
"""Runs clang-tidy-19 with .clang-tidy over the sources of src/ (tests left out).

tools/clang_tidy.py BUILD_DIR [NAME...]    only paths that contain one of the names
"""

import subprocess
import sys

from compile_db import ROOT, CompileDb, key_of, run_all

CLANG_TIDY = "clang-tidy-19"
NOISE = (
    "warnings generated",
    "warning generated",
    "Suppressed ",
    "Use -header-filter",
    "treated as",
)


def lint(build, path):
    done = subprocess.run(
        [CLANG_TIDY, "--quiet", "-p", str(build), str(path)], capture_output=True, text=True
    )
    if done.returncode == 0:
        return ""
    lines = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in lines if not any(noise in line for noise in NOISE))


def main():
    database = CompileDb(sys.argv[1])
    names = sys.argv[2:]
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, text=True, check=True)
    texts = [version.stdout, (ROOT / ".clang-tidy").read_text(encoding="utf-8")]
    recorded = database.recorded_headers()
    jobs = []
    for path, command in sorted(database.commands.items()):
        if names and not any(name in str(path) for name in names):
            continue
        headers = recorded.get(command[command.index("-o") + 1])
        key = key_of(database.build, texts + command, headers) if headers else None
        title = str(path.relative_to(ROOT))
        jobs.append((title, key, lambda path=path: lint(database.build, path)))
    return run_all("clang_tidy", database.build, jobs)


if __name__ == "__main__":
    sys.exit(main())
