"""Files that break a rule for a good reason. An exception that is no longer needed is a finding."""

from tidy_rules.tree import Finding

# (rule, path): reason
EXCEPTIONS = {
    ("7", "src/async/asio_impl.cc"): "the compiled half of Asio; there is nothing to declare",
    ("7", "src/drivers/http/beast_impl.cc"): "the compiled half of Beast, for the same reason",
}


def apply(tree, found):
    """Leaves out what has an exception; adds exceptions that excuse nothing."""
    used = {(finding.rule, finding.path) for finding in found}
    kept = [finding for finding in found if (finding.rule, finding.path) not in EXCEPTIONS]
    for rule, path in EXCEPTIONS:
        if tree.has(path) and (rule, path) not in used:
            kept.append(Finding(path, 1, rule, "keeps this rule: remove its exception"))
    return kept
