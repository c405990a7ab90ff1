"""Writes docs/rules.md from the rule files, so that the catalogue and its page cannot differ. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from generated import DOCS, write_or_check

from shared.domain.families import FAMILIES, family_of
from shared.domain.policy import Policy
from shared.domain.rulebook import RULES, Example, Rule, built_in

PAGE = DOCS / "rules.md"
HEAD = (
    "# Rules",
    "",
    "<!-- Written by tools/rules_docs.py from shared/rules; `make docs` writes it again. -->",
    "",
    "An **error** does not work on AKS; a **warning** works wrongly or risks something; an **info** is worth knowing. A safe fix is",
    "applied; an unsafe one is suggested and applied with `--unsafe`; a question is asked once and its answer kept in `.aks-copilot.yaml`.",
)


def page(rules: tuple[Rule, ...]) -> str:
    """The whole page: a table per family, then every rule."""
    lines = [*HEAD]
    families = [(family, list(group)) for family, group in groupby(rules, key=lambda r: family_of(r.id))]
    for family, members in families:
        lines += ["", f"## {FAMILIES[family]}", "", "| Rule | What it finds | Severity | What happens |", "|---|---|---|---|"]
        lines += [f"| [{r.id}](#{r.id.lower()}) | {r.title} | {r.severity} | {outcome(r)} |" for r in members]
    for _, members in families:
        for rule in members:
            lines += ["", *section(rule)]
    return "\n".join(lines) + "\n"


def outcome(rule: Rule) -> str:
    """What the program does about it, in a few words."""
    if rule.harmless:
        return "reported as harmless"
    if rule.fix and rule.fix.disposition == "safe":
        return "asked, then fixed" if any(e.decisions and e.fixed for e in rule.examples) else "fixed"
    if rule.fix:
        return "suggested"
    return "asked" if rule.ask else "reported"


def section(rule: Rule) -> Iterator[str]:
    """One rule: why, what happens, links, its first example and its fix."""
    yield from (f'### <a id="{rule.id.lower()}"></a>{rule.id}: {rule.title}', "", rule.why, "")
    yield f"- Looks at: {', '.join(f'`{shown}`' if shown in rule.kinds else shown for shown in rule.looks_at)}"
    if rule.sources != ("any",):
        yield f"- Only for the sources {', '.join(rule.sources)}"
    if rule.policy:
        yield from policy(rule.policy)
    if rule.harmless:
        yield f"- Harmless: {rule.harmless}"
    if rule.fix:
        yield f"- Fix: `{rule.fix.how}`, {rule.fix.disposition}"
    if rule.advice:
        yield f"- What to do: {rule.advice}"
    if rule.ask:
        yield f"- Asks: {rule.ask.question} (`{rule.ask.key}`)"
    yield from (f"- <{link}>" for link in rule.links)
    yield from example(next((e for e in rule.examples if e.fixed), next((e for e in rule.examples if e.bad), None)))
    yield f"\nFile: `shared/rules/{next(RULES.glob(rule.id + '-*.yaml')).name}`"


def policy(stands_for: Policy) -> Iterator[str]:
    """What of AKS a rule stands for, in its words, and where the sources differ."""
    names = [f"safeguard `{name}`" for name in stands_for.safeguards]
    names += [f"Pod Security {stands_for.level}, control `{stands_for.control}`"] if stands_for.control else []
    names += ["an admission policy of AKS Automatic"] if stands_for.only_on else []
    since = f", since Kubernetes {stands_for.since}" if stands_for.since else ""
    since += f", before Kubernetes {stands_for.until}" if stands_for.until else ""
    yield f"- Stands for: {', '.join(names)}{since}"
    if stands_for.says:
        yield f"- AKS says: `{stands_for.says}`"
    yield from (f"- {note.date}: {note.text}" for note in stands_for.notes)


def example(shown: Example | None) -> Iterator[str]:
    """An example that fires, and what becomes of it."""
    if shown is None or shown.bad is None:
        return
    yield from ("", "```yaml", shown.bad.rstrip("\n"), "```")
    if shown.fixed:
        yield from ("", "becomes", "", "```yaml", shown.fixed.rstrip("\n"), "```")


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date. Gives the exit status."""
    return write_or_check(PAGE, page(built_in()), "the rule files say", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
