"""The compile database of a build folder, and checks over it that remember what they have passed.

A check is remembered under build/NAME/ by the content of everything it looked at: its command, its
configuration and every header. So a second run costs hashing only, and a change of one header runs
again exactly the files that include it.
"""

import hashlib
import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class CompileDb:
    def __init__(self, build):
        self.build = Path(build).resolve()
        entries = json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {}  # source path -> argument list
        for entry in entries:
            path = Path(entry["directory"], entry["file"]).resolve()
            if path.is_relative_to(ROOT / "src") and not path.stem.endswith(
                ("_test", "_fuzz", "_bench")
            ):
                self.commands[path] = shlex.split(entry["command"])

    def recorded_headers(self):
        """Object file -> what it was compiled from, as the build recorded it."""
        listing = subprocess.run(
            ["ninja", "-C", str(self.build), "-t", "deps"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        headers = {}
        for line in listing.splitlines():
            if line.startswith("    "):
                headers[current].append(line.strip())
            elif ": #deps" in line:
                current = line.split(": #deps")[0]
                headers[current] = []
        return headers


@cache
def content_hash(path):
    """Of a file; absent files have a hash of their own."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "absent"


def key_of(build, texts, files):
    """Names one state of these texts and files (relative to the build folder)."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for file in sorted(set(files)):
        path = os.path.normpath(os.path.join(build, file))
        # System headers change with their package only: size and time say enough.
        if path.startswith(("/usr/", "/lib/")):
            status = os.stat(path) if os.path.exists(path) else None
            state = f"{status.st_size} {status.st_mtime_ns}" if status else "absent"
        else:
            state = content_hash(path)
        digest.update(f"\0{path}\0{state}".encode())
    return digest.hexdigest()


def run_all(name, build, jobs):
    """Runs each job (title, key or None, function -> error text) that is not remembered as passed.

    Prints what failed and a summary; returns the exit code.
    """
    memory = Path(build, name)
    memory.mkdir(exist_ok=True)
    waiting = [job for job in jobs if job[1] is None or not (memory / job[1]).exists()]

    def run(job):
        title, key, function = job
        errors = function()
        if errors:
            print(f"--- {title}\n{errors}", flush=True)
        elif key is not None:
            (memory / key).touch()
        return not errors

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = list(pool.map(run, waiting))
    remembered = len(jobs) - len(waiting)
    failed = passed.count(False)
    print(f"{name}: {len(jobs)} files, {remembered} unchanged since they passed, {failed} failed")
    return 1 if failed or not jobs else 0
