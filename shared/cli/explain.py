"""`aks-copilot explain`: a rule, or what is found at one line of a file, explained in context. Changes nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.console import note, say, status
from shared.cli.explained import print_explanation, print_rule
from shared.cli.local import fix_tree, knowledge_in, options_for
from shared.cli.manifests import FixFormat, Knowledge, Source, TargetFile
from shared.cli.model import ModelMode, cache_folder, chosen_model
from shared.cli.rules import known_rule
from shared.cli.tree import read_tree
from shared.domain.articles import ArticlesOf, among, own_articles
from shared.domain.errors import AksCopilotError, ValidationError
from shared.domain.explain.at_line import at_line
from shared.domain.explain.finding import Explanation, explain
from shared.domain.explain.rule_page import rule_page
from shared.domain.knowledge import knowledge_of
from shared.domain.model import FileOutcome
from shared.domain.report.credentials import redact
from shared.domain.rulebook import Rule
from shared.domain.run import SourceFile
from shared.logs import describe
from shared.model_settings import ModelSettings
from shared.services import read_articles

SCHEMA_VERSION = 1
_RULE = re.compile(r"[A-Za-z]{2,8}\d{4}")
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::\d+)?")


def explain_command(
    subject: Annotated[str, typer.Argument(metavar="RULE|FILE:LINE", help="A rule, for example AKS0101, or a place as inspect names it.")],
    format_: Annotated[FixFormat, typer.Option("--format", help="Form of the output.")] = FixFormat.TEXT,
    source: Source = "auto",
    target: TargetFile = None,
    knowledge: Knowledge = None,
    within: Annotated[Path | None, typer.Option(metavar="PATH", help="The application: the file's folder by default.")] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Ask no language model, whatever LLM_MODE says.")] = False,
) -> None:
    """Explain a rule, or what is found at a line: what stands there, why AKS takes offence, what the fix does, what to read."""
    articles = among(read_articles(knowledge)) if knowledge and (knowledge / "articles").is_dir() else own_articles
    if _RULE.fullmatch(subject) and not Path(subject).exists():
        _explain_rule(_rule(subject, knowledge), format_, articles)
        return
    place = _PLACE.fullmatch(subject)
    if place is None:
        raise ValidationError(f"{subject}: neither a rule (AKS0101) nor a place (FILE:LINE, for example app.yaml:7)")
    path, line = Path(place["file"]), int(place["line"])
    settings = chosen_model(ModelMode.OFF if no_model else None)
    with status("explaining"):
        file, outcome, found = _found(path, line, within, options=(source, target, knowledge), articles=articles)
        found = [_with_model(file, explanation, settings) for explanation in found]
    if format_ is FixFormat.JSON:
        _print_json({"file": file.path, "line": line, "reason": outcome.reason, "findings": [e.to_json() for e in found]})
    else:
        _print(path, line, outcome, found)
    raise typer.Exit(outcome.status in ("refused", "failed"))


def _rule(rule_id: str, knowledge: Path | None) -> Rule:
    """A rule of the team or of the program. Raises ValidationError where there is none."""
    rules = knowledge_of(knowledge_in(knowledge)).rulebook.rules if knowledge else ()
    return next((rule for rule in rules if rule.id == rule_id.upper()), None) or known_rule(rule_id)


def _explain_rule(rule: Rule, format_: FixFormat, articles: ArticlesOf) -> None:
    page = rule_page(rule, articles)
    if format_ is FixFormat.JSON:
        _print_json({"rule": page.to_json()})
    else:
        print_rule(page)


def _found(
    path: Path, line: int, within: Path | None, options: tuple[str, Path | None, Path | None], articles: ArticlesOf
) -> tuple[SourceFile, FileOutcome, list[Explanation]]:
    """The file, what `fix` would make of it, and its findings at a line. Raises ValidationError where the place is none."""
    if not path.is_file():
        raise ValidationError(f"{path}: no such file")
    folder = within or path.parent.resolve()
    tree = read_tree([folder])
    name = next((n for n, p in tree.paths.items() if p.samefile(path)), None)
    if name is None:
        raise ValidationError(f"{path}: not a file of {folder}")
    file = SourceFile(name, path.read_bytes())
    if not 0 < line <= file.data.count(b"\n") + (not file.data.endswith(b"\n")):
        raise ValidationError(f"{path}: has no line {line}")
    run = fix_tree(tree, options_for(folder, *options))
    outcome = next(o for o in run.outcomes if o.path == name)
    return file, outcome, [explain(file, outcome, v, run.setup, articles) for v in at_line(file, outcome, line)]


def _with_model(file: SourceFile, explanation: Explanation, settings: ModelSettings) -> Explanation:
    """What a model says beside it; where it says nothing that can be used, one line says why, and the explanation stays as it is."""
    if settings.mode == "off":
        return explanation
    from shared.domain.llm.explaining import told_by  # noqa: PLC0415 (only where a model is used)
    from shared.services import build_local_model  # noqa: PLC0415

    violation = explanation.violation
    name = f"explain {violation.rule_id} {file.path} {violation.document} {violation.path}"
    try:
        model = build_local_model(settings, cache_folder()).for_violation(f"explain-{datetime.now(UTC).date()}", name)
        return replace(explanation, told=told_by(model, file, explanation, settings.hosts))
    except AksCopilotError as error:
        note(f"aks-copilot: {violation.rule_id} is explained without the model: {describe(error)}")
        return explanation


def _print(path: Path, line: int, outcome: FileOutcome, found: list[Explanation]) -> None:
    for number, explanation in enumerate(found):
        if number:
            say("")
        print_explanation(str(path), explanation)
    if found:
        return
    lines = sorted({v.line for v in outcome.violations})
    elsewhere = f"; findings are at {', '.join(f'{path}:{n}' for n in lines[:5])}{', ...' if lines[5:] else ''}" if lines else ""
    because = f"{outcome.status}: {redact(outcome.reason)}" if outcome.reason else "nothing is found here"
    say(f"{path}:{line}: {because}{elsewhere}")


def _print_json(document: dict[str, object]) -> None:
    typer.echo(json.dumps({"schemaVersion": SCHEMA_VERSION} | document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace"))
