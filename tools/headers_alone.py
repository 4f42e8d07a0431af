#!/usr/bin/env python3
"""Compiles each header of src/ alone and without the precompiled header: rule 7.

    tools/headers_alone.py BUILD_DIR [NAME...]    only paths that contain one of the names

The flags are those of a source of the same room.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from compile_db import ROOT, CompileDb, key_of, run_all
from tidy_rules.tree import Tree


def header_command(command):
    """The command of a source without its precompiled header, its output and its input."""
    kept = []
    arguments = iter(command)
    for argument in arguments:
        if argument == "-Xclang":
            value = next(arguments)
            if value in ("-include-pch", "-include"):
                next(arguments), next(arguments)
            else:
                kept += [argument, value]
        elif argument in ("-o", "-c", "-MF", "-MT"):
            next(arguments)
        elif argument not in ("-MD", "-Winvalid-pch"):
            kept.append(argument)
    return kept + ["-fsyntax-only", "-Wno-pragma-once-outside-header", "-xc++"]


def dependencies(rule):
    """The files of a make rule as the compiler writes it."""
    return rule.partition(":")[2].replace("\\\n", " ").split()


def main():
    database = CompileDb(sys.argv[1])
    names = sys.argv[2:]
    memory = database.build / "headers_alone"
    memory.mkdir(exist_ok=True)
    flags = {}  # folder -> command
    for path, command in sorted(database.commands.items()):
        flags.setdefault(path.parent, header_command(command))

    tree = Tree(ROOT)
    jobs = []
    for path in sorted((ROOT / "src").rglob("*.h")):
        title = str(path.relative_to(ROOT))
        if (
            tree.is_test(title)
            or path.parent not in flags
            or (names and not any(name in title for name in names))
        ):
            continue
        command = flags[path.parent] + [str(path)]
        # What it included when it last passed; without it, it is compiled.
        rule = memory / (title.replace("/", "_") + ".d")
        key = None
        if rule.exists():
            files = dependencies(rule.read_text(encoding="utf-8"))
            key = key_of(database.build, command, files)
        jobs.append((title, key, lambda command=command, rule=rule: compile_alone(command, rule)))
    return run_all("headers_alone", database.build, jobs)


def compile_alone(command, rule):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "rule.d")
        done = subprocess.run(
            command + ["-MD", "-MF", str(made)], capture_output=True, text=True, cwd=sys.argv[1]
        )
        if done.returncode == 0:
            text = made.read_text(encoding="utf-8")
            rule.write_text(text, encoding="utf-8")
            build = Path(sys.argv[1]).resolve()
            key = key_of(build, command, dependencies(text))
            (rule.parent / key).touch()
    return done.stderr if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
