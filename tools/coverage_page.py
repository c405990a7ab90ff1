"""Fills the numbers into docs/coverage.md from the corpus: `make coverage`. The words are written by hand; `--check` only compares.

A row of a table with a column `Rule` gets the objects with a finding of its rules, and the findings by what became of them.
Between markers (`<!-- counted:NAME -->`, `<!-- /counted -->`) stand tables that are counted whole.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from corpus_counts import CORPUS, FATES, Counts, Finding, count

from shared.domain.rulebook import by_id

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
COUNTED = ("Objects", *(fate.capitalize() for fate in FATES))
RULES = re.compile(r"AKS\d{4}(?: to AKS\d{4})?(?:, AKS\d{4}(?: to AKS\d{4})?)*")
SECTION = re.compile(r"(<!-- counted:(\w+) -->\n)(.*?)(<!-- /counted -->)", re.DOTALL)
MOST = 10


def filled(page: str, counts: Counts) -> str:
    """The page with every number as it was counted."""
    tables = "\n".join(_lines(page.splitlines(), counts.findings)) + "\n"
    return SECTION.sub(lambda found: f"{found[1]}{_section(found[2], found[3], tables, counts)}{found[4]}", tables)


def rules_of(cell: str) -> list[str]:
    """The rules that a cell like `AKS0302, AKS0401 to AKS0414` names."""
    known = sorted(by_id())
    ends = [part.split(" to ") for part in cell.split(", ")] if RULES.fullmatch(cell) else []
    return [rule for first, *last in ends for rule in known if first <= rule <= (last or [first])[0]]


def rows(page: str) -> Iterator[tuple[str, list[str]]]:
    """(construct, its rules) of every row with rules."""
    for line in page.splitlines():
        cells = _cells(line)
        yield from ((cells[0], rules_of(cell)) for cell in cells[1:2] if RULES.fullmatch(cell))


def frequent(findings: Iterable[Finding]) -> list[tuple[str, int]]:
    """The rules that fire most often on the manifests of no particular source, with the number of findings."""
    return Counter(f.rule_id for f in findings if f.source == "other").most_common(MOST)


def _lines(lines: Iterable[str], findings: Iterable[Finding]) -> Iterator[str]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule_id, []).append(finding)
    inside = False
    for line in lines:
        cells = _cells(line)
        if "Rule" in cells[1:]:
            inside = True
            yield _row([cells[0], "Rule", *COUNTED, cells[-1]])
        elif not cells or not inside:
            inside = False
            yield line
        elif set(line) <= set("|-: "):
            yield "|---|---|" + "--:|" * len(COUNTED) + "---|"
        else:
            named = next((c for c in cells[1:-1] if RULES.fullmatch(c)), "")
            mine = [f for rule in rules_of(named) for f in by_rule.get(rule, ())]
            yield _row([cells[0], named or cells[1].strip("0123456789"), *(_numbers(mine) if named else [""] * len(COUNTED)), cells[-1]])


def _numbers(findings: list[Finding]) -> list[str]:
    fates = Counter(f.fate for f in findings)
    return [str(len({f.place for f in findings})), *(str(fates[fate] or "") for fate in FATES)]


def _section(name: str, old: str, page: str, counts: Counts) -> str:
    makers: Mapping[str, Callable[[], Iterable[str]]] = {
        "corpus": lambda: [_date(counts)],
        "kinds": lambda: _kinds(counts),
        "frequent": lambda: _frequent(old, counts),
        "unnamed": lambda: _unnamed(page, counts),
    }
    return "".join(f"{line}\n" for line in makers[name]())


def _date(counts: Counts) -> str:
    digest = hashlib.sha256((CORPUS / "INDEX.tsv").read_bytes()).hexdigest()[:12]
    return f"Counted on {counts.files} files of {counts.repositories} public repositories (`INDEX.tsv` {digest}), each repository one run."


def _kinds(counts: Counts) -> Iterator[str]:
    fates = Counter((s.ref.kind, s.ref.api_version.rpartition("/")[0], s.fate) for s in counts.strangers)
    totals = Counter((s.ref.kind, s.ref.api_version.rpartition("/")[0]) for s in counts.strangers)
    yield _row(["Kind", "API group", *COUNTED])
    yield "|---|---|" + "--:|" * len(COUNTED)
    for (kind, group), total in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
        yield _row([kind, group or "(v1)", str(total), *(str(fates[kind, group, fate] or "") for fate in FATES)])


def _frequent(old: str, counts: Counts) -> Iterator[str]:
    """The table with the sentences that stand in it; a rule that is new to it gets an empty cell, which a test does not allow."""
    written = {cells[0]: cells[-1] for cells in map(_cells, old.splitlines()) if len(cells) == 5}
    yield from (_row(["Rule", "What it finds", "Severity", "Findings", "Why it is right"]), "|---|---|---|--:|---|")
    for rule_id, total in frequent(counts.findings):
        severity = Counter(f.severity for f in counts.findings if f.rule_id == rule_id and f.source == "other").most_common(1)[0][0]
        yield _row([rule_id, by_id()[rule_id].title, severity, str(total), written.get(rule_id, "")])


def _unnamed(page: str, counts: Counts) -> Iterator[str]:
    named = {rule for _, found in rows(page) for rule in found}
    yield _row(["Rule", "What it finds", *COUNTED])
    yield "|---|---|" + "--:|" * len(COUNTED)
    for rule_id in sorted({f.rule_id for f in counts.findings} - named):
        yield _row([rule_id, by_id()[rule_id].title, *_numbers([f for f in counts.findings if f.rule_id == rule_id])])


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether its numbers are those of the corpus. Gives the exit status."""
    if not CORPUS.is_dir():
        print(f"coverage: no corpus at {CORPUS}")
        return 0
    page = PAGE.read_text(encoding="utf-8")
    text = filled(page, count())
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif text != page:
        print(f"{PAGE.relative_to(PAGE.parents[1])} does not have the numbers of the corpus: run `make coverage`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
