"""The texts of a pull request around the report: title, what stands above it, and the marker by which a later run knows what it held."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.domain.decision_file import FILE_NAME
from shared.domain.gitops import Watcher
from shared.domain.layout import Layout
from shared.domain.model import FileOutcome
from shared.domain.report.escape import code, link
from shared.domain.report.pull_request import LIMIT, body, length
from shared.domain.report.web import visible
from shared.domain.run import RunSetup

_MARKER = re.compile(r"<!-- aks-copilot run=(\S+) result=(\S+) -->")
_SHOWN, _LONG = 20, 200
_IGNORE = (
    "**Before the merge, add {} to `.sourceignore`:** in a folder without a kustomization Flux takes every YAML file for an object, "
    "and stops at one that is none."
)
"""https://github.com/fluxcd/kustomize-controller/issues/175 (read 2026-11)."""
NOTHING = "none"
"""The result of a pull request that the program closed."""


def title(app: str) -> str:
    """The title of the one pull request of an application."""
    return f"Move {app} to AKS"


def marker(run_id: str, result: str) -> str:
    """Invisible in the body; `result` is a digest of what the pull request changes."""
    return f"<!-- aks-copilot run={run_id} result={result} -->"


def result_in(text: str) -> str | None:
    """The result that a body speaks of; None where nothing is said."""
    found = _MARKER.findall(text)
    return found[-1][1] if found else None


def pull_body(
    setup: RunSetup, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str], *,
    above: Sequence[str], result: str, report_url: str | None = None,
) -> str:  # fmt: skip
    """The whole body: `above` are paragraphs of trusted Markdown that come first."""
    more = [f"{link('The whole report', report_url)} has every finding with its line and its diff."] if report_url else []
    tail = f"\n\n{marker(setup.run_id, result)}\n"
    return body(setup, outcomes, diffs, limit=LIMIT - length(tail), first_line="\n\n".join([*above, *more])) + tail


def paragraphs(
    layout: Layout, watched: Iterable[Watcher], left: Sequence[str], asked: str | None = None, *,
    written: bool = True, created: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """What a reviewer has to know before the report: who reads the base, where the results are, what was left alone.

    `asked`: there are questions, whose answers are read on that branch. `written`: the pull request has more than the questions.
    `created`: paths in the repository of new manifests.
    """
    readers = list(watched) if written else []
    told = [*(_watched(layout, watcher, created) for watcher in readers[:_SHOWN]), _where(layout) if written else _later(layout)]
    if layout.kind == "in-place" and written and not readers:
        told.append(
            f"Whatever deploys them to the source cluster from {_name(layout.base)} deploys this too: merge when the application moves."
        )
    if any(watcher.plain for watcher in readers) and layout.kind != "branch":
        told.append(_IGNORE.format(_name(layout.place(FILE_NAME))))
    if asked is not None:
        told.append(_asking(layout, asked))
    if left:
        told.append("\n".join(["**Left as somebody else changed them; compare them with the report:**", "", *_listed(left)]))
    return told


def closing(layout: Layout, commit: str, outcomes: Iterable[FileOutcome]) -> str:
    """Why the program closes its own pull request."""
    files = list(outcomes)
    open_ones = any(o.status == "refused" or any(v.resolution in ("suggested", "needs-human") for v in o.violations) for o in files)
    what = f"Nothing is left to change: {_name(layout.base)} at {commit[:7]} needs no change for AKS that is not there already"
    return f"{what}, and that the program can make. What needs a person is in the report." if open_ones else f"{what}."


def _watched(layout: Layout, watcher: Watcher, created: Collection[str]) -> str:
    who = f"{watcher.tool} of the source cluster ({_name(watcher.name)}) reads {_name(layout.base)}"
    if layout.kind == "branch":
        return f"**{who}, the branch that this pull request goes into: what is merged is deployed there too.**"
    if layout.kind == "in-place":
        return f"**{who}: what is merged here is deployed to the source cluster too.** Merge when the application moves, not before."
    if watcher.path is None or watcher.path == layout.folder or _is_above(watcher.path, layout.folder):
        holds = f"{_name(layout.folder)} {'may lie' if watcher.path is None else 'lies'} in what it reads"
        return f"**{who}: {holds}, and if it takes folders below too, what is merged here is deployed to the source cluster.**"
    if watcher.path != layout.source and not _is_above(layout.source, watcher.path):
        return f"**{who}.** It reads {_name(watcher.path)}, where this pull request changes nothing."
    there = posixpath.normpath(posixpath.join(layout.folder, posixpath.relpath(watcher.path or ".", layout.source or ".")))
    outside = [_name(path) for path in sorted(created) if not _is_above(there, path)][:_SHOWN]
    also = f", and {', '.join(outside)}, which it needs and which {'lies' if len(outside) == 1 else 'lie'} outside of it" if outside else ""
    return f"**{who}.** It reads {_name(watcher.path)}, which keeps its manifests; on AKS, let it read {_name(there)}{also}."


def _later(layout: Layout) -> str:
    """Where nothing but questions is in the pull request."""
    if layout.kind == "folder":
        return f"No manifest changes yet: the questions come first. What the answers change will be in {_name(layout.folder)}."
    return "No manifest changes yet: the questions come first."


def _where(layout: Layout) -> str:
    source = _name(layout.source) if layout.source else "the repository's root"
    if layout.kind == "folder":
        return (
            f"The version for AKS is {_name(layout.folder)}: point AKS there. The files in {source} stay as they are for the source "
            "cluster; only `.aks-copilot.yaml`, with the answers, is written there."
        )
    if layout.kind == "branch":
        return f"The version for AKS is the branch {_name(layout.base)}: point AKS there. The branch of the source cluster stays as it is."
    return f"The manifests are changed where they are, in {source}. One commit for each kind of change says why."


def _asking(layout: Layout, branch: str) -> str:
    answers = _name(layout.place(FILE_NAME))
    merged = "Answered here, they are used after the merge." if layout.base == branch else "Answered here, nothing reads them."
    return (
        f"Questions are answered in {answers}, where this pull request puts each with an example. Answered on {_name(branch)}, "
        f"they bring this pull request up to date. {merged}"
    )


def _is_above(path: str, folder: str) -> bool:
    return not path or folder.startswith(f"{path}/")


def _listed(paths: Sequence[str]) -> list[str]:
    more = [f"- and {len(paths) - _SHOWN} more"] if len(paths) > _SHOWN else []
    return [*(f"- {_name(path)}" for path in paths[:_SHOWN]), *more]


def _name(text: str) -> str:
    return code(visible(text)[:_LONG])
