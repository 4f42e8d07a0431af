#!/usr/bin/env python3
"""Runs the libFuzzer targets for longer than ctest does, with all code instrumented.

    tools/fuzz.py                         every target, 60 s each
    tools/fuzz.py --seconds 600 yaml url  those whose name contains one of the words

Starts from the target's corpus (tests/corpus/TARGET/) and from what earlier runs found
(build/fuzz). An input that breaks a target is kept in the corpus as found-…, so that ctest runs
it from then on; the exit code is then 1.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"


def targets(words):
    """(binary, corpus) of every *_fuzz.cc whose target's name has one of the words."""
    found = []
    for source in sorted((ROOT / "src").rglob("*_fuzz.cc")):
        room = source.parent.relative_to(ROOT / "src")
        name = f"{str(room).replace(os.sep, '_')}_{source.stem}"
        if not words or any(word in name for word in words):
            found.append((BUILD / "src" / room / name, ROOT / "tests" / "corpus" / name))
    return found


def build(binaries):
    subprocess.run(["cmake", "--preset", "fuzz"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    names = [binary.name for binary in binaries]
    subprocess.run(["ninja", "-C", str(BUILD), *names], check=True)


def run(binary, corpus, seconds):
    """Runs one target; true when nothing broke it."""
    scratch = BUILD / "corpus" / binary.name
    scratch.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            binary,
            f"-max_total_time={seconds}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-print_final_stats=1",
            f"-artifact_prefix={corpus}/found-",
            scratch,
            corpus,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    seen = re.findall(r"cov: (\d+)", done.stdout)
    print(
        f"{binary.name}: {runs.group(1) if runs else '?'} inputs in {seconds} s,"
        f" coverage {seen[-1] if seen else '?'} edges,"
        f" {'ok' if done.returncode == 0 else 'BROKEN'}",
        flush=True,
    )
    if done.returncode != 0:
        print(done.stdout[-6000:], flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    chosen = targets(options.words)
    if not chosen:
        sys.exit(f"no target has one of {options.words} in its name")
    build([binary for binary, _ in chosen])
    broken = [b.name for b, corpus in chosen if not run(b, corpus, options.seconds)]
    if broken:
        sys.exit(f"broken: {', '.join(broken)}")


if __name__ == "__main__":
    main()
