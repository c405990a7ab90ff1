"""report.html: one file that needs nothing else. No network, no fonts; works without its script, which only filters.

Jinja2 with autoescape lays it out; every value also goes through `visible`. Its import is left to the first page, so that a cold worker
and `aks-copilot --help` do not pay for it.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from shared.domain.model import FileOutcome
from shared.domain.report import html_view, model_view, view
from shared.domain.report.credentials import redact
from shared.domain.report.document import summary
from shared.domain.report.reading import Excerpts
from shared.domain.report.resources import azure_resources
from shared.domain.report.web import security_policy, visible
from shared.domain.run import RunSetup

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def report_html(setup: RunSetup, outcomes: Iterable[FileOutcome], diffs: Mapping[str, str], excerpts: Excerpts | None = None) -> str:
    """The page. `diffs` are masked, by path; `excerpts` gives lines of the files as they came. The same input gives the same bytes."""
    files = sorted(outcomes, key=lambda o: o.path)
    page = _environment().get_template("report.html.j2")
    return page.render(_head(setup, files) | _body(files, diffs, excerpts) | _assets())


def _head(setup: RunSetup, files: list[FileOutcome]) -> dict[str, object]:
    counts = summary(files) | {"questions": len(view.questions(files))}
    return {
        "app": setup.app,
        "run_id": setup.run_id,
        "verdict": view.verdict(files, counts),
        "source": setup.source.profile,
        "evidence": view.evidence(setup),
        "target": view.target(setup),
        "counts": counts,
        "statuses": sorted(Counter(o.status for o in files).items()),
        "matrix": html_view.matrix(files),
        "offer": model_view.offer(setup, files),
        "model": html_view.model(setup, files),
    }


def _body(files: list[FileOutcome], diffs: Mapping[str, str], excerpts: Excerpts | None) -> dict[str, object]:
    asked, answers = html_view.asked(files)
    changed, sections = html_view.changed(files, diffs), html_view.sections(files, excerpts)
    return {
        "asked": asked,
        "answers": answers,
        "unread": [(o, redact(o.reason or "no reason given")) for o in files if o.status in ("failed", "refused")],
        "sections": sections,
        "rules": sorted({(rule.group.rule_id, rule.group.title) for section in sections for rule in section.rules}),
        "changed": changed,
        "anchors": {file.path: f"f{number}" for number, file in enumerate(changed, 1)},
        "resources": [(resource, redact(resource.command), paths) for resource, paths in azure_resources(files)],
        "untouched": [(o, redact(o.reason or "")) for o in files if o.status in ("unchanged", "skipped")],
    }


def _assets() -> dict[str, object]:
    style, script = (Markup((_TEMPLATES / name).read_text(encoding="utf-8")) for name in ("report.css", "report.js"))  # noqa: S704 - our own files
    head = f"<style>{style}</style><script>{script}</script>"
    return {"style": style, "script": script, "policy": security_policy(head.encode()).partition("; frame-ancestors")[0]}


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - see the module's docstring

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
