#!/usr/bin/env python3
"""Checks the rules of the house that neither the compiler nor CMake nor clang-tidy checks.

    tools/tidy.py [ROOT]      prints one line a finding, exits 1 if there is any

Rules carry the numbers of CONTRIBUTING.md. Those marked heuristic look at text, not at a syntax
tree: they are meant to catch the honest mistake, not the determined one. A file that has a good
reason to break a rule is named in tidy_rules/exceptions.py together with that reason.
"""

import sys
from pathlib import Path

from tidy_rules import code, exceptions, layout, sizes, texts
from tidy_rules.tree import Tree

RULES = layout.RULES + sizes.RULES + code.RULES + texts.RULES


def check(root):
    """All findings of the tree, exceptions applied, sorted by place."""
    tree = Tree(Path(root))
    found = [finding for rule in RULES for finding in rule(tree)]
    return sorted(exceptions.apply(tree, found))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = check(root)
    for finding in found:
        print(finding)
    print(f"tidy: {len(found)} finding{'' if len(found) == 1 else 's'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
