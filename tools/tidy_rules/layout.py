"""Where things are and what they may see: rules 1 to 4, 7 and 29."""

import re

from tidy_rules.tree import Finding

VAGUE_NAMES = {"common", "util", "utils", "helper", "helpers", "misc"}
# Folders that hold rooms and are none themselves.
GROUPS = {"drivers", "surface"}
CAPABILITIES = {"pipeline", "kubernetes", "impact"}
ROOM_MAX_README_LINES = 60

ALL = None
# Prefix of a foreign header -> the rooms that may include it. The first match counts.
FOREIGN = [
    ("boost/asio/ssl", {"async", "drivers/http"}),
    ("boost/asio", {"!base", "!crypto", "!signature"}),
    ("boost/system", {"!base", "!crypto", "!signature"}),
    ("boost/json", {"!base", "!async"}),
    ("boost/beast", {"drivers/http"}),
    ("boost/intrusive", {"drivers/http"}),
    ("boost/url", {"model", "drivers/http"}),
    ("ares.h", {"drivers/http"}),
    ("openssl/", {"crypto", "drivers/http"}),
    ("sqlite3.h", {"drivers/sqlite"}),
    ("js/", {"drivers/js"}),
    ("jsapi.h", {"drivers/js"}),
    ("mozilla/", {"drivers/js"}),
    ("seccomp.h", {"drivers/js"}),
    ("prometheus/", {"telemetry"}),
    ("spdlog/", {"telemetry"}),
    ("CLI/", {"surface/cli"}),
    ("yaml.h", {"app", "surface/cli"}),
    ("simdjson.h", {"pipeline"}),
    ("fmt/", ALL),
]
TEST_HEADERS = ("gtest/", "gmock/", "fuzzer/")
SYSTEM_HEADER = re.compile(
    r"(?:sys|netinet|arpa|linux|net)/\w+\.h"
    r"|(?:unistd|fcntl|signal|poll|pthread|termios|dirent|netdb|pwd|grp|spawn|dlfcn|sched|time"
    r"|malloc)\.h"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NAMESPACE = re.compile(r"^\s*(?:inline )?namespace ([\w:]+) \{", re.MULTILINE)


def includes(tree, path):
    """(line number, quoted or angled, header) of each include."""
    for number, line in enumerate(tree.code(path).splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1] == '"', found[2]


def folder_names(tree):
    """1: names that say something; rooms flat and listed in the build; files in snake_case."""
    rooms = set(tree.rooms)
    order = tree.room_order()
    for path in tree.files:
        parts = path.split("/")
        vague = VAGUE_NAMES & {*parts[:-1], parts[-1].split(".")[0]}
        if vague:
            yield Finding(path, 1, "1", f"the name '{vague.pop()}' says nothing")
        if not path.startswith("src/"):
            continue
        folder, name = "/".join(parts[1:-1]), parts[-1]
        if folder not in rooms:
            yield Finding(
                path, 1, "1", "is in no room: rooms are flat folders with a CMakeLists.txt"
            )
        elif name.endswith((".h", ".cc")) and not re.fullmatch(r"[a-z][a-z0-9_]*\.(h|cc)", name):
            yield Finding(path, 1, "1", "file names are snake_case")
        elif name.endswith((".cpp", ".hpp", ".cxx", ".hh", ".c", ".C")):
            yield Finding(path, 1, "1", "sources end in .h and .cc")
    for room in tree.rooms:
        place = f"src/{room}/CMakeLists.txt"
        if room not in order:
            yield Finding(place, 1, "1", "CMakeLists.txt does not list this room")
        if "/" in room and (room.count("/") > 1 or room.split("/")[0] not in GROUPS):
            yield Finding(place, 1, "1", "a room lies in src/, src/drivers/ or src/surface/")


def tests_beside_code(tree):
    """1: x_test.cc (or x_more_test.cc) stands beside x.h or x.cc. A test of the whole room has no
    such header and opens with a comment that says what it is for."""
    for path in tree.sources("src"):
        found = re.fullmatch(r"(.*)/(\w+)_(?:test|fuzz|bench)\.cc", path)
        if not found:
            continue
        words = found[2].split("_")
        stems = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
        near = any(tree.has(f"{found[1]}/{stem}{end}") for stem in stems for end in (".h", ".cc"))
        near = near or tree.has(path[:-2] + "h")
        if not near and not tree.text(path).startswith("//"):
            yield Finding(path, 1, "1", f"there is no {found[2]}.h: say in line 1 what this tests")


def namespaces(tree):
    """1: a file opens its room's namespace: grapnel for base, else grapnel::<last folder>."""
    for path in tree.sources("src"):
        room = tree.room_of(path)
        if room is None:
            continue
        own = "grapnel" if room == "base" else "grapnel::" + room.split("/")[-1]
        code = tree.code(path)
        opened = set(NAMESPACE.findall(code))
        has_main = re.search(
            r"^(?:extern \"\" )?int (?:main|LLVMFuzzerTestOneInput)\(", code, re.MULTILINE
        )
        declares = re.search(r"[;}]", re.sub(r"^\s*#.*$", "", code, flags=re.MULTILINE))
        if (
            declares
            and not has_main
            and not any((name + "::").startswith(own + "::") for name in opened)
        ):
            yield Finding(path, 1, "1", f"does not open namespace {own}")


def layering(tree):
    """2: only lower rooms; capabilities see no drivers and not each other; only app sees both."""
    order = tree.room_order()
    for path in tree.sources("src"):
        room = tree.room_of(path)
        if room not in order:
            continue
        seen = {}
        for number, quoted, header in includes(tree, path):
            if not quoted or ".." in header:
                continue
            other = header.rpartition("/")[0]
            if tree.is_test(path) and tree.has("tests/" + header):
                continue
            if other not in order:
                yield Finding(path, number, "2", f'"{header}" names no room')
            elif order.index(other) > order.index(room):
                yield Finding(path, number, "2", f"room {other} is above {room}")
            elif other != room:
                seen.setdefault(other, number)
        if tree.is_test(path) or room == "app":
            continue
        drivers = [other for other in seen if other.startswith("drivers/")]
        capabilities = [other for other in seen if other in CAPABILITIES]
        if drivers and (room in CAPABILITIES or room.startswith("drivers/")):
            yield Finding(path, seen[drivers[0]], "2", f"{room} must not see {drivers[0]}")
        elif capabilities and room in CAPABILITIES:
            yield Finding(
                path, seen[capabilities[0]], "2", f"{room} must not see {capabilities[0]}"
            )
        elif drivers and capabilities:
            yield Finding(
                path, seen[drivers[0]], "2", "only app sees drivers and capabilities together"
            )


def declared_rooms(tree):
    """3: no relative includes, no globbed sources."""
    for path in tree.sources("src", "tests", "bench"):
        for number, quoted, header in includes(tree, path):
            if quoted and ".." in header.split("/"):
                yield Finding(path, number, "3", "includes name the room, never a relative path")
    for path in tree.files:
        if path.endswith(("CMakeLists.txt", ".cmake")):
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if re.search(r"\bfile\s*\(\s*GLOB", line.split("#")[0]):
                    yield Finding(path, number, "3", "sources are listed, never globbed")


def foreign_headers(tree):
    """4: a foreign header only in the rooms of the table above."""
    for path in tree.sources("src"):
        room = tree.room_of(path)
        for number, quoted, header in includes(tree, path):
            if quoted:
                continue
            if header.startswith(TEST_HEADERS):
                if not tree.is_test(path):
                    yield Finding(path, number, "4", f"<{header}> belongs in tests")
                continue
            rooms = next((rooms for prefix, rooms in FOREIGN if header.startswith(prefix)), ())
            if rooms == ():
                if re.search(r"[./]", header) and not SYSTEM_HEADER.fullmatch(header):
                    yield Finding(path, number, "4", f"<{header}> is in no room's list")
            elif rooms is not ALL and not allowed(room, rooms):
                yield Finding(path, number, "4", f"<{header}> does not belong in room {room}")


def allowed(room, rooms):
    if any(name.startswith("!") for name in rooms):
        return "!" + str(room) not in rooms
    return room in rooms


def own_header_first(tree):
    """7: every x.cc has an x.h and includes it first."""
    for path in tree.sources("src"):
        name = path.rpartition("/")[2]
        if not name.endswith(".cc") or tree.is_test(path) or name == "main.cc":
            continue
        header = path[:-2] + "h"
        first = next(includes(tree, path), (1, True, ""))
        if not tree.has(header):
            yield Finding(path, 1, "7", "has no header of its name")
        elif not first[1] or "src/" + first[2] != header:
            yield Finding(path, first[0], "7", f'includes "{header[4:]}" first')


def room_readmes(tree):
    """29: a README.md of at most one page in each room."""
    for room in tree.rooms:
        path = f"src/{room}/README.md"
        if not tree.has(path):
            yield Finding(f"src/{room}", 1, "29", "has no README.md")
        elif tree.text(path).count("\n") > ROOM_MAX_README_LINES:
            yield Finding(path, 61, "29", f"is longer than {ROOM_MAX_README_LINES} lines")


def folder_table(tree):
    """29: pages that must be, and the folder table of ARCHITECTURE.md against tree and build."""
    for path in ("README.md", "docs/ARCHITECTURE.md", "docs/HACKING.md", "docs/GLOSSARY.md"):
        if not tree.has(path):
            yield Finding(path, 1, "29", "is missing")
    page = "docs/ARCHITECTURE.md"
    if not tree.has(page):
        return
    listed = {}
    for number, line in enumerate(tree.text(page).splitlines(), 1):
        found = re.match(r"\|\s*`(src/[\w/]*\w)/?`\s*\|", line)
        if found:
            listed[found[1][len("src/") :]] = number
    for room, number in listed.items():
        if room not in tree.rooms:
            yield Finding(page, number, "29", f"src/{room} is no room")
    for room in tree.rooms:
        if room not in listed:
            yield Finding(page, 1, "29", f"its folder table has no row for `src/{room}`")
    order = [room for room in tree.room_order() if room in listed]
    if order != [room for room in listed if room in order]:
        yield Finding(page, min(listed.values()), "29", "the rooms are not in the build's order")


RULES = [
    folder_names,
    tests_beside_code,
    namespaces,
    layering,
    declared_rooms,
    foreign_headers,
    own_header_first,
    room_readmes,
    folder_table,
]
