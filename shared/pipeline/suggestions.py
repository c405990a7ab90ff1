"""The publisher `suggestions`: one review of a user's pull request, with a suggestion at each changed line that a safe fix would change.

A review is made in one request with all its comments, and its text names them all: a retry after a lost answer finds it there, and a later
run of the same pull request adds only what is new.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.check_run import check_name
from shared.domain.code_host import Repository
from shared.domain.code_review import ReviewHost, shown_lines
from shared.domain.layout import layout_of
from shared.domain.report.review import MOST, comment, gravest, marks, review_text
from shared.domain.repository import ROOT
from shared.domain.suggestions import Suggestion, suggestions
from shared.pipeline import lock, names, publish, results, state
from shared.pipeline.context import Context

NAME = "suggestions"


@dataclass(frozen=True, slots=True)
class SuggestionsPublisher:
    """Speaks on pull requests of the repository's own people and of forks alike, but only where results go in place: elsewhere the
    source cluster reads the same lines, and they are right for it.
    """

    host: ReviewHost

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context)."""
        origin = state.find(ctx, names.origin(run)) or {}
        finished = results.finished(ctx, run)
        if not origin.get("pullRequest") or origin.get("results") != "pull-request" or finished is None:
            return None
        path = str(origin.get("path") or ROOT)
        if layout_of(finished.setup, origin.get("layout"), path, str(origin.get("base", ""))).kind != "in-place":
            return None
        with lock.held(ctx, run, NAME):
            before = publish.recall(ctx, run, NAME)
            if before and "error" not in before:
                return before
            return self._review(ctx, run, origin, finished, "" if path == ROOT else path)

    def _review(self, ctx: Context, run: str, origin: Mapping[str, Any], finished: results.Finished, folder: str) -> dict[str, Any]:
        place, number = Repository(str(origin["repository"]), origin.get("installation")), int(origin["pullRequest"])
        pull = self.host.pull(place, number)
        if not pull.open or pull.head != origin["commit"]:
            return {"superseded": True}
        told = marks(self.host.reviews(place, number))
        patches = _inside(self.host.patches(place, pull.base, pull.head), folder)
        found = gravest(_found(ctx, run, finished, patches, told))
        if not found:
            return {"comments": 0}
        shown = found[:MOST]
        text = review_text(shown, len(found) - len(shown), check_name(names.app_of(run)))
        url = self.host.review(place, number, pull.head, text, [comment(one, folder) for one in shown])
        return {"url": url, "comments": len(shown)}


def _inside(patches: Mapping[str, str], folder: str) -> dict[str, str]:
    """The patches of an application's files, by their path in it."""
    prefix = f"{folder}/" if folder else ""
    return {path.removeprefix(prefix): text for path, text in patches.items() if path.startswith(prefix)}


def _found(ctx: Context, run: str, finished: results.Finished, patches: Mapping[str, str], told: Collection[str]) -> Iterator[Suggestion]:
    """Every suggestion of the files that the pull request changes."""
    original = results.load_all(ctx, run, int(state.load(ctx, names.manifest(run))["batches"])).original
    for outcome in finished.outcomes:
        data = original(outcome.path) if outcome.path in patches else None
        if data is not None:
            yield from suggestions(finished.setup, finished.outcomes, outcome, data, shown_lines(patches[outcome.path]), told)
