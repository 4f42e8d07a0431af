"""What texts may say: rule 31 and, as rule `texts`, nothing about one site's machines."""

import re

from tidy_rules.tree import Finding

CODE_ENDS = (
    ".h",
    ".cc",
    ".py",
    ".sh",
    ".cmake",
    ".js",
    ".mjs",
    ".css",
    ".html",
    ".sql",
    ".yaml",
    ".yml",
)
TEXT_ENDS = CODE_ENDS + (".md", ".txt", ".json", "Makefile", ".ci/run", ".toml")
KINDS = "soon|perf|security|test"

# Written in halves, so that this file does not find itself.
OPEN_MARK = "TO" + "DO"
OTHER_MARKS = re.compile(r"\b(?:FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
OPEN_FORM = re.compile(OPEN_MARK + rf"\((?:{KINDS})\): \S")
# Paths in a home directory or a workshop; registry hosts other than the ones npm itself writes.
HOME_PATH = re.compile(r"(?<![\w.*$}{/-])/(?:home|Users|work)/\w")
REGISTRY = re.compile(r"https?://[\w.-]*(?:artifact|registry|mirror|pkg\.dev|pypi)[\w.-]*")
PUBLIC_NPM = "https://reg" + "istry.npmjs.org"


def todos(tree):
    """31: what is open is marked with a kind that says why it waits."""
    for path in tree.files:
        if not path.endswith(CODE_ENDS) and not path.endswith("CMakeLists.txt"):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if re.search(rf"\b{OPEN_MARK}\b", line) and not OPEN_FORM.search(line):
                yield Finding(
                    path, number, "31", f"the form is {OPEN_MARK}({KINDS}): what is missing"
                )
            elif OTHER_MARKS.search(line):
                yield Finding(
                    path, number, "31", f"say it as {OPEN_MARK}({KINDS}): what is missing"
                )


def places(tree):
    """texts: no paths of one machine, no hosts of one site's package registries."""
    for path in tree.files:
        if not path.endswith(TEXT_ENDS):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if HOME_PATH.search(line):
                yield Finding(path, number, "texts", "names a path of one machine")
            for found in REGISTRY.finditer(line):
                if not (path.endswith("package-lock.json") and found[0] == PUBLIC_NPM):
                    yield Finding(path, number, "texts", "names the host of a package registry")


RULES = [todos, places]
