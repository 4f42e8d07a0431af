"""The checked tree: which files there are, which rooms, and source text without comments."""

import os
import re
from dataclasses import dataclass
from functools import cache

SKIPPED_FOLDERS = {".git", "build", "node_modules", "grapnel-data", "__pycache__", ".cache"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: rule {self.rule}: {self.text}"


class Tree:
    """Paths are relative to the root, with forward slashes."""

    def __init__(self, root):
        self.root = root
        self.files = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
            for name in sorted(names):
                self.files.append((folder + "/" + name)[len(str(root)) + 1 :])
        self.file_set = set(self.files)
        self.rooms = sorted(
            path[len("src/") : -len("/CMakeLists.txt")]
            for path in self.files
            if path.startswith("src/") and path.endswith("/CMakeLists.txt")
        )

        self.tests = self.find_tests()

    def find_tests(self):
        """C++ files that are only part of tests: by name, by TESTS of a module(), or headers that
        only such files include."""
        sources = [path for path in self.files if path.endswith((".h", ".cc"))]
        listed = set()
        for room in self.rooms:
            for words in re.findall(
                r"\b(?:TESTS|FUZZ)\b((?:\s+[a-z]\w*\.cc)+)", self.text(f"src/{room}/CMakeLists.txt")
            ):
                listed |= {f"src/{room}/{name}" for name in words.split()}
        tests = {
            path
            for path in sources
            if path in listed
            or path.startswith("tests/")
            or path.endswith(("_test.cc", "_fuzz.cc", "_bench.cc"))
        }
        includers = {}
        for path in sources:
            for header in re.findall(r'^\s*#\s*include\s*"([^"]+)"', self.text(path), re.MULTILINE):
                includers.setdefault("src/" + header, set()).add(path)
        found = True
        while found:
            found = {
                header
                for header, by in includers.items()
                if header not in tests and by <= tests and self.is_in_no_library(header, tests)
            }
            tests |= found
        return tests

    def is_in_no_library(self, header, tests):
        source = header[:-1] + "cc"
        return header in self.file_set and (source not in self.file_set or source in tests)

    def is_test(self, path):
        return path in self.tests

    def has(self, path):
        return path in self.file_set

    @cache
    def text(self, path):
        """Empty for what is no text."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return ""

    @cache
    def code(self, path):
        """C++ without comments and the insides of literals; line numbers stay."""
        return strip(self.text(path))

    def sources(self, *folders):
        """C++ files below these folders."""
        return [
            path
            for path in self.files
            if path.endswith((".h", ".cc")) and path.split("/")[0] in folders
        ]

    def room_of(self, path):
        """The room that holds src/…, or None."""
        folder = path[len("src/") :].rpartition("/")[0] if path.startswith("src/") else None
        return folder if folder in self.rooms else None

    def room_order(self):
        """The rooms bottom-up, as CMakeLists.txt lists them."""
        listed = re.search(r"foreach\(room ([^)]*)\)", self.text("CMakeLists.txt"))
        return listed[1].split() if listed else []


TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)


def strip(text):
    """Comments become blanks, literals become "" or '', each keeping its line breaks."""

    def blank(match):
        found = match[0]
        lines = "\n" * found.count("\n")
        if found.startswith("/"):
            return " " + lines
        if re.search(
            r"^\s*#\s*include\s*$", text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        ):
            return found
        return ("''" if found.startswith("'") else '""') + lines

    return TOKEN.sub(blank, text)


def matches(tree, path, pattern, rule, text):
    """A finding for each line of the file's code that the pattern is found in."""
    compiled = re.compile(pattern)
    for number, line in enumerate(tree.code(path).splitlines(), 1):
        if compiled.search(line):
            yield Finding(path, number, rule, text)
