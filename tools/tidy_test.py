#!/usr/bin/env python3
"""Each rule of tools/tidy.py is seen failing on a tree that breaks it, and silent on a good one."""

import tempfile
import unittest
from pathlib import Path

import tidy
from tidy_rules import exceptions

OPEN_MARK = "TO" + "DO"  # in halves, so that tidy.py does not find this file

# A small tree that keeps every rule.
GOOD = {
    "CMakeLists.txt": (
        "foreach(room base async drivers/http drivers/sqlite pipeline surface/api app)\n"
    ),
    "README.md": "# Grapnel\n",
    "docs/HACKING.md": "# Hacking\n",
    "docs/GLOSSARY.md": "# Glossary\n",
    "docs/ARCHITECTURE.md": (
        "| folder | what |\n|---|---|\n| `src/base/` | below all |\n| `src/async/` | loops |\n"
        "| `src/drivers/http/` | HTTP |\n| `src/pipeline/` | ingest |\n| `src/app/` | wiring |\n"
    ),
    "src/base/CMakeLists.txt": "module(NAME base SOURCES clock.cc TESTS clock_test.cc)\n",
    "src/base/README.md": "# base\n",
    "src/base/limits.h": "namespace grapnel {\ninline constexpr int kTextMax = 64;\n}\n",
    "src/base/clock.h": "#include <string>\n\nnamespace grapnel {\nint read(int number);\n}\n",
    "src/base/clock.cc": (
        '#include "base/clock.h"\n\n#include <fmt/format.h>\n\nnamespace grapnel {\n'
        "namespace {\nconstexpr int kStep = 5;\n}\n"
        "int read(int number) {\n"
        "  static const int first = 3;\n  return number + first + kStep;\n}\n}\n"
    ),
    "src/base/clock_test.cc": (
        '#include "base/clock.h"\n\n#include <gtest/gtest.h>\n\nnamespace grapnel {\n'
        "TEST(Clock, Reads) { EXPECT_EQ(read(1), 9); }\n}\n"
    ),
    "src/async/CMakeLists.txt": "module(NAME async SOURCES scope.cc)\n",
    "src/async/README.md": "# async\n",
    "src/async/scope.h": (
        '#include <boost/asio/awaitable.hpp>\n#include "base/clock.h"\n'
        "namespace grapnel::async {\nclass Scope {\n  int count_ = 0;\n};\n}\n"
    ),
    "src/async/scope.cc": (
        '#include "async/scope.h"\n'
        "namespace grapnel::async {\nconst auto kToken = detached;\n}\n"
    ),
    "src/drivers/http/CMakeLists.txt": "module(NAME drivers/http SOURCES server.cc)\n",
    "src/drivers/http/README.md": "# http\n",
    "src/drivers/http/server.h": (
        '#include "async/scope.h"\nnamespace grapnel::http {\nvoid serve();\n}\n'
    ),
    "src/drivers/http/server.cc": (
        '#include "drivers/http/server.h"\n'
        "#include <boost/beast/http.hpp>\n#include <sys/socket.h>\n"
        "namespace grapnel::http {\nvoid serve() {}\n}\n"
    ),
    "src/pipeline/CMakeLists.txt": "module(NAME pipeline SOURCES ingest.cc)\n",
    "src/pipeline/README.md": "# pipeline\n",
    "src/pipeline/ingest.h": (
        '#include "async/scope.h"\nnamespace grapnel::pipeline {\nint take();\n}\n'
    ),
    "src/pipeline/ingest.cc": (
        '#include "pipeline/ingest.h"\nnamespace grapnel::pipeline {\nint take() { return 1; }\n}\n'
    ),
    "src/app/CMakeLists.txt": "module(NAME app SOURCES main.cc)\n",
    "src/app/README.md": "# app\n",
    "src/app/main.cc": (
        '#include "drivers/http/server.h"\n#include "pipeline/ingest.h"\nint main() { return 0; }\n'
    ),
}


def with_row(row, before):
    """The architecture page with one more row before that of another room."""
    return GOOD["docs/ARCHITECTURE.md"].replace(f"| `src/{before}", f"{row}\n| `src/{before}")


def findings(changes):
    """What tidy finds in GOOD with these files added, replaced or (None) removed."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **changes}.items():
            if text is not None:
                place = Path(root, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
        return tidy.check(root)


class RuleTest(unittest.TestCase):
    def breaks(self, rule, path, text, at=None):
        """The change is found once or more, by this rule only, and at its place."""
        found = findings({path: text})
        self.assertTrue(found, f"rule {rule} did not find {path}")
        self.assertEqual({finding.rule for finding in found}, {rule}, [str(f) for f in found])
        self.assertIn(at or path, {finding.path for finding in found})

    def keeps(self, path, text):
        self.assertEqual([str(finding) for finding in findings({path: text})], [])

    def base(self, line):
        """clock.cc with one more line at namespace scope."""
        return GOOD["src/base/clock.cc"].replace(
            "constexpr int kStep", line + "\nconstexpr int kStep"
        )

    def body(self, line):
        """clock.cc with one more line in its function."""
        return GOOD["src/base/clock.cc"].replace(
            "  return number", "  " + line + "\n  return number"
        )


class GoodTree(RuleTest):
    def test_has_no_findings(self):
        self.assertEqual([str(finding) for finding in findings({})], [])


class Rule1Names(RuleTest):
    def test_names_that_say_nothing(self):
        self.breaks("1", "tests/utils/limits.txt", "")
        self.breaks("1", "src/base/helpers.h", "namespace grapnel {}\n")

    def test_folder_that_is_no_room(self):
        self.breaks("1", "src/base/detail/deep.h", "namespace grapnel {}\n")

    def test_room_that_the_build_does_not_list(self):
        order = GOOD["CMakeLists.txt"].replace(" app)", ")")
        self.breaks("1", "CMakeLists.txt", order, at="src/app/CMakeLists.txt")

    def test_file_names_are_snake_case(self):
        self.breaks("1", "src/base/WallClock.h", "namespace grapnel { }\n")
        self.breaks("1", "src/base/clock.cpp", "namespace grapnel { }\n")

    def test_test_without_what_it_tests(self):
        self.breaks("1", "src/base/sundial_test.cc", "namespace grapnel {}\n")
        self.keeps("src/base/sundial_test.cc", "// The room as a whole.\nnamespace grapnel {}\n")
        self.keeps("src/base/clock_jump_test.cc", "namespace grapnel {}\n")

    def test_namespace_inside_of_the_rooms_is_fine(self):
        text = "namespace grapnel::pipeline::sql {\nint take();\n}\n"
        self.keeps("src/pipeline/ingest.h", text)

    def test_namespace_is_the_rooms(self):
        self.breaks("1", "src/pipeline/ingest.h", "namespace grapnel::http {\nint take();\n}\n")


class Rule2Layers(RuleTest):
    def test_room_above(self):
        self.breaks(
            "2", "src/base/clock.h", '#include "async/scope.h"\nnamespace grapnel { int a(); }\n'
        )

    def test_capability_sees_no_driver(self):
        text = GOOD["src/pipeline/ingest.h"].replace("async/scope.h", "drivers/http/server.h")
        self.breaks("2", "src/pipeline/ingest.h", text)

    def test_driver_sees_no_other_driver(self):
        found = findings(
            {
                "src/drivers/sqlite/CMakeLists.txt": "",
                "src/drivers/sqlite/README.md": "",
                "src/drivers/sqlite/book.h": (
                    '#include "drivers/http/server.h"\nnamespace grapnel::sqlite { int a(); }\n'
                ),
                "docs/ARCHITECTURE.md": with_row("| `src/drivers/sqlite` | store |", "pipeline"),
            }
        )
        self.assertEqual([(f.rule, f.path) for f in found], [("2", "src/drivers/sqlite/book.h")])

    def test_only_app_sees_both(self):
        api = {
            "src/surface/api/CMakeLists.txt": "",
            "src/surface/api/README.md": "",
            "src/surface/api/page.h": (
                '#include "drivers/http/server.h"\n#include "pipeline/ingest.h"\n'
                "namespace grapnel::api { int a(); }\n"
            ),
            "docs/ARCHITECTURE.md": with_row("| `src/surface/api` | REST |", "app"),
        }
        self.assertEqual([f.rule for f in findings(api)], ["2"])
        api["src/surface/api/page.h"] = api["src/surface/api/page.h"].replace(
            '#include "pipeline/ingest.h"\n', ""
        )
        self.assertEqual(findings(api), [])

    def test_include_that_names_no_room(self):
        self.breaks(
            "2", "src/base/clock.h", '#include "clock_more.h"\nnamespace grapnel { int a(); }\n'
        )


class Rule3Declared(RuleTest):
    def test_relative_include(self):
        text = '#include "../base/clock.h"\nnamespace grapnel::async { int a(); }\n'
        self.breaks("3", "src/async/scope.h", text)

    def test_globbed_sources(self):
        self.breaks("3", "src/base/CMakeLists.txt", "file(GLOB all *.cc)\n")
        self.keeps("src/base/CMakeLists.txt", "# file(GLOB all *.cc) would hide a file\n")


class Rule4ForeignHeaders(RuleTest):
    def test_header_of_another_rooms_library(self):
        for header in (
            "sqlite3.h",
            "openssl/evp.h",
            "boost/beast/core.hpp",
            "spdlog/spdlog.h",
            "yaml.h",
        ):
            text = f"#include <{header}>\nnamespace grapnel::pipeline {{ int take(); }}\n"
            self.breaks("4", "src/pipeline/ingest.h", text)

    def test_vocabulary_is_allowed_more_widely_but_not_in_base(self):
        text = "#include <boost/asio/post.hpp>\n#include <boost/json.hpp>\n"
        self.keeps("src/pipeline/ingest.h", text + "namespace grapnel::pipeline { int take(); }\n")
        self.breaks("4", "src/base/clock.h", text + "namespace grapnel { int a(); }\n")

    def test_unknown_library(self):
        self.breaks(
            "4", "src/base/clock.h", "#include <curl/curl.h>\nnamespace grapnel { int a(); }\n"
        )

    def test_header_that_only_tests_include_is_part_of_them(self):
        rig = "#include <gtest/gtest.h>\nnamespace grapnel { int rig(); }\n"
        test = GOOD["src/base/clock_test.cc"].replace(
            "#include <g", '#include "base/rig.h"\n#include <g'
        )
        self.assertEqual(findings({"src/base/rig.h": rig, "src/base/clock_test.cc": test}), [])
        source = GOOD["src/base/clock.cc"].replace(
            "#include <f", '#include "base/rig.h"\n#include <f'
        )
        found = findings({"src/base/rig.h": rig, "src/base/clock.cc": source})
        self.assertEqual([(f.rule, f.path) for f in found], [("4", "src/base/rig.h")])

    def test_test_headers_outside_of_tests(self):
        self.breaks(
            "4", "src/base/clock.h", "#include <gtest/gtest.h>\nnamespace grapnel { int a(); }\n"
        )


class Rule5Globals(RuleTest):
    def test_mutable_globals(self):
        for line in (
            "int counter = 0;",
            "static std::string last_name;",
            "std::map<int, std::string> names{};",
            "inline std::atomic<int> total{0};",
            "thread_local int depth;",
        ):
            self.breaks("5", "src/base/clock.cc", self.base(line))

    def test_mutable_statics_in_functions(self):
        self.breaks("5", "src/base/clock.cc", self.body("static int calls = 0;"))
        self.breaks("5", "src/base/clock.cc", self.body("static std::vector<int> seen;"))

    def test_constants_functions_and_members_are_fine(self):
        for line in (
            "const std::string kName = fmt::format(1);",
            "constexpr std::array<int, 2> kNames{1, 2};",
            "using Names = std::vector<int>;",
            "struct Point {\n  int x = 0;\n  std::string name;\n};",
            "int other(int number);",
            "template <class T>\nT twice(T value) {\n  T copy = value;\n  return copy;\n}",
            "enum class Colour { red };",
        ):
            self.keeps("src/base/clock.cc", self.base(line))
        self.keeps("src/base/clock.cc", self.body("static constexpr int kOther = 1;"))


class Rule6Sizes(RuleTest):
    def test_long_files(self):
        self.breaks("6", "src/base/clock.cc", GOOD["src/base/clock.cc"] + "\n" * 500)
        self.breaks("6", "src/base/clock.h", GOOD["src/base/clock.h"] + "\n" * 300)
        self.keeps("src/base/clock.cc", GOOD["src/base/clock.cc"] + "\n" * 400)

    def test_long_lines_count_characters_not_bytes(self):
        self.breaks("6", "src/base/clock.cc", self.base("// " + "x" * 98))
        self.keeps("src/base/clock.cc", self.base("// " + "ü" * 97))

    def test_long_functions(self):
        self.breaks("6", "src/base/clock.cc", self.body("++number;\n" * 71))
        self.keeps("src/base/clock.cc", self.body("++number;\n" * 60))

    def test_long_tests_and_methods(self):
        many = "  read(1);\n" * 71
        test = GOOD["src/base/clock_test.cc"].replace("{ EXPECT", "{\n" + many + "EXPECT")
        self.breaks("6", "src/base/clock_test.cc", test)
        method = f"class A {{\n  int b() const noexcept {{\n{many}  }}\n}};"
        self.breaks("6", "src/base/clock.cc", self.base(method))

    def test_long_types_and_tables_are_no_functions(self):
        self.keeps("src/base/clock.cc", self.base("struct A {\n" + "  int b();\n" * 80 + "};"))


class Rule7OwnHeader(RuleTest):
    def test_source_without_header(self):
        self.breaks("7", "src/base/sundial.cc", "namespace grapnel { int a(); }\n")

    def test_own_header_is_not_first(self):
        text = "#include <string>\n" + GOOD["src/base/clock.cc"]
        self.breaks("7", "src/base/clock.cc", text)


class Rule13Bounds(RuleTest):
    def test_named_bound_outside_of_limits(self):
        self.breaks("13", "src/base/clock.cc", self.base("constexpr int kNameBytesMax = 20;"))
        self.breaks("13", "src/base/clock.cc", self.body("constexpr Millis kWaitLimit{20};"))

    def test_nameless_bound(self):
        self.breaks("13", "src/base/clock.cc", self.body("if (text.size() > 4096) return 0;"))
        self.breaks("13", "src/base/clock.cc", self.body("use(text.substr(0, 200));"))

    def test_limits_small_numbers_and_tests_are_fine(self):
        self.keeps(
            "src/base/limits.h", "namespace grapnel {\ninline constexpr int kDepthMax = 9;\n}\n"
        )
        self.keeps("src/base/clock.cc", self.body("if (text.size() < 4) return 0;"))
        self.keeps("src/base/clock.cc", self.base("constexpr int kAllMax = 2 * kTextMax;"))
        self.keeps(
            "src/base/clock.cc", self.body("const auto most = std::numeric_limits<int>::max();")
        )
        test = GOOD["src/base/clock_test.cc"].replace(
            "{ EXPECT", "{ use(text.substr(0, 500)); EXPECT"
        )
        self.keeps("src/base/clock_test.cc", test)


class Rule18And19Coroutines(RuleTest):
    def test_capturing_lambda_coroutine(self):
        line = "auto task = [this, &number]() -> Task<> { co_return; };"
        self.breaks("18", "src/base/clock.cc", self.body(line))
        self.keeps("src/base/clock.cc", self.body("auto task = []() -> Task<> { co_return; };"))

    def test_detached(self):
        line = "boost::asio::co_spawn(loop, task(), boost::asio::detached);"
        self.breaks("19", "src/base/clock.cc", self.body(line))
        self.keeps("src/base/clock.cc", self.body("// never detached"))


class Rule25Sleep(RuleTest):
    def test_sleeping_tests(self):
        for line in (
            "std::this_thread::sleep_for(1ms);",
            "usleep(5);",
            "sleep(1);",
            "::nanosleep(&a, 0);",
        ):
            test = GOOD["src/base/clock_test.cc"].replace("{ EXPECT", "{ " + line + " EXPECT")
            self.breaks("25", "src/base/clock_test.cc", test)

    def test_timers_of_ours_are_fine(self):
        test = GOOD["src/base/clock_test.cc"].replace("{ EXPECT", "{ timers.sleep_for(1ms); EXPECT")
        self.keeps("src/base/clock_test.cc", test)


class Rule29Pages(RuleTest):
    def test_room_without_readme(self):
        self.breaks("29", "src/base/README.md", None, at="src/base")

    def test_long_readme(self):
        self.breaks("29", "src/base/README.md", "line\n" * 61)

    def test_missing_page(self):
        self.breaks("29", "docs/HACKING.md", None)

    def test_folder_table_names_what_is_gone(self):
        self.breaks(
            "29", "docs/ARCHITECTURE.md", GOOD["docs/ARCHITECTURE.md"] + "| `src/old/` | gone |\n"
        )

    def test_folder_table_in_another_order_than_the_build(self):
        rows = GOOD["docs/ARCHITECTURE.md"].splitlines(keepends=True)
        self.breaks("29", "docs/ARCHITECTURE.md", "".join(rows[:2] + rows[:1:-1]))

    def test_folder_table_misses_a_room(self):
        text = GOOD["docs/ARCHITECTURE.md"].replace("| `src/pipeline/` | ingest |\n", "")
        self.breaks("29", "docs/ARCHITECTURE.md", text)


class Rule31Todo(RuleTest):
    def test_form(self):
        for mark in (
            OPEN_MARK + ": later",
            OPEN_MARK + "(me): later",
            OPEN_MARK + "(soon) later",
            "FIX" + "ME",
        ):
            self.breaks("31", "src/base/clock.cc", self.base("// " + mark))
        self.keeps("src/base/clock.cc", self.base(f"// {OPEN_MARK}(perf): batch these"))


class Texts(RuleTest):
    def test_paths_of_one_machine(self):
        self.breaks("texts", "README.md", "See /" + "home/ann/notes.\n")
        self.breaks("texts", "src/base/clock.cc", self.base("// copied from /" + "work/other"))

    def test_hosts_of_package_registries(self):
        self.breaks("texts", "README.md", "https://npm-" + "mirror.example.com/\n")
        lock = '"resolved": "https://reg' + 'istry.npmjs.org/a/-/a-1.tgz"\n'
        self.keeps("tests/npm/package-lock.json", lock)
        self.breaks(
            "texts", "tests/npm/package-lock.json", lock.replace("npmjs.org", "example.com")
        )


class Exceptions(RuleTest):
    def test_exception_excuses_and_is_reported_once_useless(self):
        path = "src/base/sundial.cc"
        exceptions.EXCEPTIONS[("7", path)] = "for this test"
        try:
            self.keeps(path, "namespace grapnel { int a(); }\n")
            found = findings({path: None, "src/base/sundial.h": "namespace grapnel { int a(); }\n"})
            self.assertEqual(found, [])
            text = '#include "base/sundial.h"\nnamespace grapnel { int a(); }\n'
            found = findings({path: text, "src/base/sundial.h": "namespace grapnel { int a(); }\n"})
            self.assertEqual([(f.rule, f.path) for f in found], [("7", path)])
        finally:
            del exceptions.EXCEPTIONS[("7", path)]


if __name__ == "__main__":
    unittest.main()
