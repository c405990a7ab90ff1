"""The publisher `suggestions`: one review of a user's pull request, with a suggestion at each changed line that a safe fix would change.

A review is made in one request with all its comments, and its text names them all: a retry after a lost answer finds it there, and a later
run of the same pull request adds only what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.domain.check_run import check_name
from shared.domain.code_review import ReviewHost, shown_lines
from shared.domain.report.review import MOST, comment, gravest, is_of, marks, review_text
from shared.domain.suggestions import Changed, suggestions
from shared.pipeline import lock, names, origin, publish, results, state
from shared.pipeline.context import Context

NAME = "suggestions"
_LOOKED_AT = 4 * MOST  # suggestions, of which the gravest are shown


@dataclass(frozen=True, slots=True)
class SuggestionsPublisher:
    """Speaks on pull requests of the repository's own people and of forks alike, but only where results go in place: elsewhere the
    source cluster reads the same lines, and they are right for it.
    """

    host: ReviewHost

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context)."""
        source, finished = origin.find(ctx, run), results.finished(ctx, run)
        if source is None or not source.pull_request or source.results != "pull-request" or finished is None:
            return None
        if source.layout_of(finished.setup).kind != "in-place":
            return None
        with lock.held(ctx, run, NAME):
            before = publish.recall(ctx, run, NAME)
            if before and "error" not in before:
                return before
            return self._review(ctx, run, source, source.pull_request, finished)

    def _review(self, ctx: Context, run: str, source: origin.Origin, number: int, finished: results.Finished) -> dict[str, Any]:
        place, pull = source.repository, self.host.pull(source.repository, number)
        if not pull.open or pull.head != source.commit:
            return {"superseded": True}
        before = self.host.reviews(place, number)
        mine = next((one for one in before if is_of(one.text, run)), None)  # told, and then the process died
        if mine is not None:
            return {"url": mine.url}
        changed = _changed(ctx, run, finished, self.host.patches(place, pull.base, pull.head), f"{source.folder}/" if source.folder else "")
        found = gravest(islice(suggestions(finished.setup, finished.outcomes, changed, marks(one.text for one in before)), _LOOKED_AT))
        if not found:
            return {"suggestions": 0}
        shown = found[:MOST]
        text = review_text(run, shown, check_name(names.app_of(run)), more=len(found) > MOST)
        return {"url": self.host.review(place, number, pull.head, text, [comment(one) for one in shown]).url}


def _changed(ctx: Context, run: str, finished: results.Finished, patches: Mapping[str, str], prefix: str) -> Iterator[Changed]:
    """The application's files of which the pull request shows something; `prefix` is their folder's path and a slash."""
    original = results.load_all(ctx, run, int(state.load(ctx, names.manifest(run))["batches"])).original
    for outcome in finished.outcomes:
        path = prefix + outcome.path
        data = original(outcome.path) if path in patches else None
        if data is not None:
            yield Changed(outcome, data, path, shown_lines(patches[path]))
