"""`aks-copilot rules` and `aks-copilot profiles`: what the program knows, and files of your own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.console import SEVERITY_STYLE, help_without_command, paragraph, say
from shared.domain.errors import ValidationError
from shared.domain.examples import check_examples, tried
from shared.domain.policy import Policy
from shared.domain.rulebook import RULES, Example, Rule, built_in, by_id, load_rules
from shared.domain.target import PROFILES, profiles

rules_app = typer.Typer(
    help="The rules: what is looked for, why, and how it is mended.", invoke_without_command=True, callback=help_without_command
)
profiles_app = typer.Typer(help="The source environments that are known.", invoke_without_command=True, callback=help_without_command)

_FAMILY = re.compile(r"[A-Z]{2,8}\d{0,3}")
_SKELETON = """\
# A rule is one file: what is wrong, why, where it is documented, and examples that are its tests and its docs.
# `aks-copilot rules check {path}` tells whether it holds. Other checks and fixes: see `aks-copilot rules show` of any rule.
id: {id}
title: {title}
why: >-
  One or two sentences that say what happens on AKS because of it.
links: [https://learn.microsoft.com/azure/aks/]
severity: warning
kinds: [core/v1/Service]
match:
  check: value
  params: {{paths: [/spec/externalIPs]}}
message: "{{name}} needs a look."
ask: {{question: "What should become of {{name}}?"}}
examples:
  - bad: |
{bad}
  - good: |
{good}
"""


@rules_app.command("list")
def list_rules() -> None:
    """One line for each rule."""
    for rule in built_in():
        mended = "" if rule.fix is None else f" [{rule.fix.disposition} fix]"
        say((f"{rule.id} ", "bold"), (f"{rule.severity:8}", SEVERITY_STYLE[rule.severity]), rule.title, (mended, "dim"))


@rules_app.command("show")
def show_rule(rule_id: Annotated[str, typer.Argument(metavar="ID", help="For example AKS0101.")]) -> None:
    """Title, why, links and examples of a rule."""
    rule = known_rule(rule_id)
    say((f"{rule.id} {rule.title}", "bold"))
    say((rule.severity, SEVERITY_STYLE[rule.severity]), f", {mending(rule)}, for {', '.join(rule.looks_at)}")
    say("")
    paragraph(rule.why, "")
    if rule.policy is not None:
        show_policy(rule.policy)
    for link in rule.links:
        say(link)
    for example in rule.examples:
        _show_example(example)


def known_rule(rule_id: str) -> Rule:
    """The program's rule of an id in any case. Raises ValidationError where there is none."""
    rule = by_id().get(rule_id.upper())
    if rule is None:
        raise ValidationError(f"no rule {rule_id}; `aks-copilot rules list` names them")
    return rule


def show_policy(policy: Policy, indent: str = "") -> None:
    """Which of AKS's policies a rule stands for, and what AKS says."""
    names = [f"safeguard {name}" for name in policy.safeguards]
    names += [f"Pod Security {policy.level}, control {policy.control}"] if policy.control else []
    names += ["an admission policy of AKS Automatic"] if policy.only_on else []
    say(indent, f"Stands for: {', '.join(names)}; the target decides whether it holds.")
    if policy.says:
        say(indent, f"AKS says: {policy.says}")
    for note in policy.notes:
        say(indent, f"{note.date}: {note.text}")


def mending(rule: Rule) -> str:
    """What becomes of a rule's findings, in two or three words."""
    if rule.fix is not None:
        return f"{rule.fix.disposition} fix"
    return "ignored as harmless" if rule.harmless else "needs a person"


def _show_example(example: Example) -> None:
    for label, text in (("bad", example.bad), ("fixed", example.fixed), ("good", example.good)):
        if text is not None:
            say("")
            say((f"# {label}{f': {example.note}' if example.note and label != 'fixed' else ''}", "bold"))
            say(text.rstrip("\n"))


@rules_app.command("check")
def check_rules(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Rule files or folders; the program's own by default.")
    ] = None,
) -> None:
    """Hold rule files against the schema and run their examples."""
    for path in paths or []:
        if not path.exists():
            raise ValidationError(f"{path}: no such file or folder")
    rules = load_rules(paths or [RULES])
    if not rules:
        raise ValidationError("no rule file (*.yaml) found")
    with tried(rules if paths else ()):
        problems = {rule.id: check_examples(rule) for rule in rules}
    for rule_id, lines in problems.items():
        for line in lines:
            say((f"{rule_id} ", "bold"), line)
    failed = sum(map(bool, problems.values()))
    say((f"{len(rules)} rules, {failed} with problems", "bold"))
    raise typer.Exit(failed > 0)


@rules_app.command("new")
def new_rule(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A few words, for example 'no internal registry'.")],
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where to write the file.")] = Path(),
    family: Annotated[
        str, typer.Option(metavar="ID", help="What its id begins with, for example AKS03; the next free number is taken.")
    ] = "USER",
) -> None:
    """Write the skeleton of a rule file; it passes `rules check` as it is."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not words:
        raise ValidationError("the name needs a letter or a digit")
    rule_id = _free_id(directory, family.upper())
    path = directory / f"{rule_id}-{words}.yaml"
    if path.exists():
        raise ValidationError(f"{path} exists")
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(skeleton(rule_id, name, path), encoding="utf-8")
    say(str(path))


def skeleton(rule_id: str, title: str, path: Path) -> str:
    """A rule file that is valid and says what to fill in."""
    bad = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: LoadBalancer\n  externalIPs: [10.0.0.1]\n"
    good = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: LoadBalancer\n"
    return _SKELETON.format(
        id=rule_id, title=" ".join(title.split()).replace(": ", " "), path=path, bad=_indented(bad), good=_indented(good)
    )


def _indented(text: str) -> str:
    return "\n".join(f"      {line}" for line in text.splitlines())


def _free_id(directory: Path, family: str) -> str:
    """The first number of a family that no file of the folder has. Raises ValidationError where there is none."""
    if not _FAMILY.fullmatch(family):
        raise ValidationError("--family must be 2 to 8 letters and at most 3 digits, for example AKS03")
    digits = 4 - sum(letter.isdigit() for letter in family)
    taken = {path.name.partition("-")[0] for path in directory.glob(f"{family}*.yaml")}
    for number in range(1, 10**digits):
        if (wanted := f"{family}{number:0{digits}d}") not in taken:
            return wanted
    raise ValidationError(f"{family} has no free number left")


@profiles_app.command("list")
def list_profiles() -> None:
    """One line for each source profile."""
    for profile in profiles().values():
        say((f"{profile.name:10}", "bold"), profile.title)


@profiles_app.command("show")
def show_profile(name: Annotated[str, typer.Argument(metavar="NAME", help="For example k3s.")]) -> None:
    """The profile file: how the source is recognised, and what its names mean."""
    if name not in profiles():
        raise ValidationError(f"no profile {name}; known: {', '.join(sorted(profiles()))}")
    say((PROFILES / f"{name}.yaml").read_text(encoding="utf-8").rstrip("\n"))
