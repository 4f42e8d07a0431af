"""What code may say: rules 5, 13, 18, 19 and 25. Heuristics: text without comments, no syntax."""

import re

from tidy_rules.sizes import without_directives
from tidy_rules.tree import Finding, matches

# A definition at namespace scope that is neither constant nor a function, type, alias or friend.
GLOBAL = re.compile(
    r"^(?:(?:static|inline|thread_local)\s+)*"
    r"(?!(?:using|typedef|template|class|struct|enum|union|namespace|extern|friend|return|case"
    r"|public|private|protected|concept|static_assert|goto|else|if|for|do|while|switch|requires"
    r"|co_return)\b)"
    r"(?![^;={(]*\b(?:const|constexpr|constinit|operator|consteval)\b)"
    r"[A-Za-z_][\w:]*(?:<[^;(]*>)?[\s*&]+[a-z_]\w*(?:\[[^\]]*\])?\s*(?:=[^=].*|\{.*)?;?\s*$"
)
LOCAL_STATIC = re.compile(
    r"^\s+(?:static|thread_local)\s+(?:static\s+|thread_local\s+)?"
    r"(?![^;={(]*\b(?:const|constexpr|constinit|consteval)\b)"
    r"[A-Za-z_][\w:]*(?:<[^;(]*>)?[\s*&]+[a-z_]\w*\s*(?:=|\{|;|\[)"
)

BOUND_NAME = r"k\w*(?:Max|Limit|Bound)(?![a-z])\w*|\w+_(?:max|limit|bound)"
# What is computed from named constants is no literal.
BOUND = re.compile(r"\bconstexpr\b[^;={(]*?\b(?:" + BOUND_NAME + r")\s*(?:=|\{)(?![^;]*\bk[A-Z])")
# Comparing a size with a number, or cutting at one, is a bound without a name.
NAMELESS_BOUND = re.compile(
    r"(?:\.size\(\)|\.length\(\)|_(?:bytes|count|size|depth))\s*(?:<=?|>=?)\s*(\d[\d']*)"
    r"|\b(?:substr|first|resize|reserve)\((?:0,\s*)?(\d[\d']*)\)"
)
SMALL_NUMBER = 33

LAMBDA_COROUTINE = re.compile(
    r"\[[^\]\[]*[^\s\]\[][^\]\[]*\]\s*(?:\([^()]*\))?[^{};]*->\s*(?:\w+::)*(?:Task|awaitable)\b"
)
SLEEP = (
    r"\bthis_thread::sleep_(?:for|until)\b|\b(?:usleep|nanosleep)\s*\("
    r"|(?<![\w.>:])(?<!int )sleep(?:_for)?\s*\("
)


def mutable_globals(tree):
    """5: no mutable globals, function-local ones included. Fixtures of tests may share one."""
    for path in tree.sources("src"):
        if tree.is_test(path):
            continue
        code = without_directives(tree.code(path))
        for number, line in namespace_lines(code):
            if GLOBAL.match(line):
                yield Finding(path, number, "5", "mutable global")
        for number, line in enumerate(code.splitlines(), 1):
            if LOCAL_STATIC.match(line):
                yield Finding(path, number, "5", "mutable static")


def namespace_lines(code):
    """(number, text) of the lines that begin at namespace scope, outside of any statement."""
    stack = []  # True for a namespace's brace
    head = ""
    parens = 0
    for number, line in enumerate(code.splitlines(), 1):
        if all(stack) and not head.strip() and parens == 0:
            yield number, line
        for char in line:
            if char in "()":
                parens += 1 if char == "(" else -1
            if char == "{":
                stack.append(bool(re.match(r'\s*(?:inline\s+)?namespace\b|\s*extern ""\s*$', head)))
                head = ""
            elif char == "}":
                if stack:
                    stack.pop()
                head = ""
            elif char == ";":
                head = ""
            else:
                head += char
        head += " "


def bounds(tree):
    """13: bounds have a name, a unit and a reason in limits.h."""
    for path in tree.sources("src"):
        if path.endswith("/limits.h") or tree.is_test(path):
            continue
        for number, line in enumerate(tree.code(path).splitlines(), 1):
            if BOUND.search(line):
                yield Finding(path, number, "13", "this bound belongs in the room's limits.h")
            for found in NAMELESS_BOUND.finditer(line):
                value = int((found[1] or found[2]).replace("'", ""))
                if value >= SMALL_NUMBER:
                    yield Finding(path, number, "13", f"{value} is a bound without a name")


def lambda_coroutines(tree):
    """18: no capturing lambda is a coroutine. clang-tidy checks it too, but not in tests."""
    for path in tree.sources("src", "tests", "bench"):
        code = tree.code(path)
        for found in LAMBDA_COROUTINE.finditer(code):
            line = code.count("\n", 0, found.start()) + 1
            yield Finding(path, line, "18", "a capturing lambda must not be a coroutine")


def detached(tree):
    """19: background work belongs to a Scope."""
    for path in tree.sources("src", "tests", "bench"):
        if path != "src/async/scope.cc":
            yield from matches(tree, path, r"\bdetached\b", "19", "spawn it in a Scope")


def sleeping_tests(tree):
    """25: tests wait for what they test, never for time."""
    for path in tree.sources("src", "tests"):
        if tree.is_test(path):
            yield from matches(tree, path, SLEEP, "25", "no test sleeps: clocks are parameters")


RULES = [mutable_globals, bounds, lambda_coroutines, detached, sleeping_tests]
