"""Rule 6: how long files, functions and lines may be."""

import re

from tidy_rules.tree import Finding

SOURCE_LINES_MAX = 500
HEADER_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100

# What stands before a brace that opens a function's body: a parameter list and what may follow it.
FUNCTION_HEAD = re.compile(
    r"\)\s*(?:const|noexcept|override|final|mutable|requires[^{}]*|->[^{};]*|:[^{};]*|&&?|try|\s)*$"
)
NO_FUNCTION = re.compile(
    r"^\s*(?:else\s+)?"
    r"(?:if|for|while|switch|catch|do|else|namespace|class|struct|enum|union|return|case)\b"
)


def file_lengths(tree):
    for path in tree.files:
        if not path.endswith((".h", ".cc", ".py", ".sh", ".mjs", ".js")):
            continue
        most = HEADER_LINES_MAX if path.endswith(".h") else SOURCE_LINES_MAX
        lines = tree.text(path).splitlines()
        if len(lines) > most:
            yield Finding(path, most + 1, "6", f"has {len(lines)} lines, more than {most}")
        for number, line in enumerate(lines, 1):
            if len(line) > LINE_COLUMNS_MAX:
                yield Finding(path, number, "6", f"has {len(line)} columns, more than 100")


def function_lengths(tree):
    """Heuristic: a function is an outermost brace that follows a parameter list."""
    for path in tree.sources("src", "tests", "bench"):
        for first, last in function_bodies(tree.code(path)):
            if last - first > FUNCTION_LINES_MAX:
                yield Finding(
                    path, first, "6", f"this function has {last - first} lines, more than 70"
                )


def function_bodies(code):
    """(line of the opening brace, line of the closing brace) of each outermost function body."""
    line = 1
    head = ""
    depth = 0
    opened = None  # (line, depth) of the function that is open
    for char in without_directives(code):
        if char == "\n":
            line += 1
        if char == "{":
            if opened is None and FUNCTION_HEAD.search(head) and not NO_FUNCTION.match(head):
                opened = (line, depth)
            depth += 1
            head = ""
        elif char == "}":
            depth -= 1
            if opened and depth <= opened[1]:
                yield opened[0], line
                opened = None
            head = ""
        elif char == ";":
            head = ""
        else:
            head += char


def without_directives(code):
    """Preprocessor lines and what they continue on become empty lines."""
    return re.sub(
        r"^[ \t]*#(?:\\\n|[^\n])*",
        lambda found: "\n" * found[0].count("\n"),
        code,
        flags=re.MULTILINE,
    )


RULES = [file_lengths, function_lengths]
