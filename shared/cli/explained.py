"""How `aks-copilot explain` looks on a terminal: one finding, or one rule, from what stands there to what to read."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding

from shared.cli.console import SEVERITY_STYLE, paragraph, say
from shared.cli.rules import mending, show_policy
from shared.domain.decisions import FILE_NAME
from shared.domain.explain.change import Step
from shared.domain.explain.finding import Explanation, Told
from shared.domain.explain.passage import Reading
from shared.domain.explain.rule_page import RulePage
from shared.domain.model import Violation
from shared.domain.report.credentials import redact
from shared.domain.report.web import visible
from shared.domain.rulebook import Example

_INDENT = "    "
_WIDEST = 100
_STEP = {"add": "adds", "replace": "replaces", "remove": "removes"}


def print_explanation(path: str, explanation: Explanation) -> None:
    """One finding; `path` is the file as the user named it."""
    violation = explanation.violation
    say((violation.severity, SEVERITY_STYLE[violation.severity]), (f" {violation.rule_id} {violation.title}", "bold"))
    say(f"{path}:{violation.line}:{violation.column}", _named(violation))
    if explanation.now:
        _print_now(explanation)
    _heading("Why")
    paragraph(redact(violation.message), _INDENT)
    if explanation.why:
        paragraph(explanation.why, _INDENT)
    _print_outcome(explanation)
    if explanation.told:
        _print_told(explanation.told)
    _print_readings(explanation.readings, violation.links)


def print_rule(page: RulePage) -> None:
    """One rule."""
    rule = page.rule
    say((rule.severity, SEVERITY_STYLE[rule.severity]), (f" {rule.id} {rule.title}", "bold"))
    say(f"{mending(rule)}, for {', '.join(rule.looks_at)}")
    _heading("Why")
    paragraph(rule.why, _INDENT)
    for text in (rule.harmless, rule.advice, rule.ask.question if rule.ask else None):
        if text:
            paragraph(text, _INDENT)
    if rule.policy is not None:
        _heading("Policy")
        show_policy(rule.policy, _INDENT)
    if page.groups:
        _heading(f"Decided in {FILE_NAME}")
        for name, about in page.groups:
            say(_INDENT, f"{name}: {about}" if about else name)
    if page.example:
        _print_example(page.example)
    _print_readings(page.readings, rule.links)


def _print_example(example: Example) -> None:
    for label, text in (("Before", example.bad), ("After the fix", example.fixed)):
        if text:
            _heading(label)
            _block(text.rstrip("\n"))


def _named(violation: Violation) -> str:
    found = violation.resource
    return f"  {found.kind} {found.name or ''}".rstrip() if found else ""


def _heading(text: str) -> None:
    say("")
    say((f"  {text}", "bold"))


def _print_now(explanation: Explanation) -> None:
    _heading("What stands there")
    width, previous = len(str(explanation.now[-1].number)), explanation.now[0].number - 1
    for line in explanation.now:
        if line.number != previous + 1:
            say((f"{_INDENT}  {'⋮':>{width}}", "dim"))
        mark = ">" if line.here else " "
        say((f"{_INDENT}{mark} {line.number:{width}} ", "bold" if line.here else "dim"), (f" {line.text}", "bold" if line.here else ""))
        previous = line.number


def _print_outcome(explanation: Explanation) -> None:
    does = "does" if explanation.violation.resolution == "fixed" else "would do"
    _heading(f"What the fix {does}" if explanation.steps else "What becomes of it")
    paragraph(explanation.outlook, _INDENT)
    for step in explanation.steps:
        _print_step(step)
    if explanation.answer:
        say("")
        say(_INDENT, f"Write your own value into {FILE_NAME} beside the manifests:")
        _block(explanation.answer.rstrip("\n"))
    for resource in explanation.waiting.resources:
        say("")
        paragraph(f"{resource.kind} {resource.name}: {resource.why}", _INDENT)
        _block(redact(resource.command))


def _print_step(step: Step) -> None:
    say(_INDENT, f"{_STEP[step.op]} {step.path or ('an object' if step.op == 'add' else 'the object')}")
    for mark, style, text in (("-", "red", step.before), ("+", "green", step.after)):
        for line in text.split("\n") if text else ():
            say((f"{_INDENT}  {mark} {line}", style))


def _print_told(told: Told) -> None:
    _heading(f"What the model {told.model} says (read it with care)")
    paragraph(told.text, _INDENT)
    for cited in told.cited:
        say((f"{_INDENT}[{cited.number}] {cited.title}: {cited.source}", "dim"))


def _print_readings(readings: Sequence[Reading], links: Sequence[str]) -> None:
    """The nearest article with what it says, the titles of the others, and the pages behind rule and article."""
    if readings:
        _print_reading(readings[0])
    if readings[1:]:
        _heading("See also")
        for reading in readings[1:]:
            say(_INDENT, reading.title, *((f"  {url}", "dim") for url, _ in reading.links[:1]))
    _heading("Pages")
    days = dict.fromkeys(links, "") | {url: day for reading in readings[:1] for url, day in reading.links}
    for link, day in days.items():
        say((f"{_INDENT}{link}{f' (read {day})' if day else ''}", "dim"))


def _print_reading(reading: Reading) -> None:
    _heading(f"Read on: {reading.title}")
    unseen = [command for command in reading.commands if command not in reading.passage]
    for number, text in enumerate(filter(None, (reading.passage, reading.decide))):
        if number:
            say("")
        _markdown(text)
    for command in unseen:
        say("")
        _block(command)


def _markdown(text: str) -> None:
    """An article's text: laid out on a terminal, as it is where a pipe reads."""
    text = str(visible(text))
    if not sys.stdout.isatty():
        _block(text)
        return
    from rich.markdown import Markdown  # noqa: PLC0415 (its parser is heavy, and every command imports this module)

    width = max(40, min(shutil.get_terminal_size().columns, _WIDEST))
    Console(file=sys.stdout, width=width).print(Padding(Markdown(text, hyperlinks=False), (0, 0, 0, len(_INDENT))))


def _block(text: str) -> None:
    for line in text.split("\n"):
        say(f"{_INDENT}{line}" if line else "")
