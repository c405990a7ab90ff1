"""The publisher `pull-request`: the branch `aks-copilot/<app>` with a commit for each kind of change, and one pull request for it.

A new run brings the same branch and the same pull request up to date. One that a person closed stays closed until the result is another
one; one that was merged has done its work, and the next change gets a new one; where nothing is left to change an open one is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain import pull_text
from shared.domain.code_host import Commit
from shared.domain.code_writer import CodeWriter, PullRequest
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.repository import ROOT, Application, of_manifests, touched
from shared.domain.webhook import OWN_BRANCHES
from shared.pipeline import checkout, lock, names, origin, own_branch, publish, pull_plan, results, state
from shared.pipeline.context import Context
from shared.pipeline.own_branch import Line, Memory, changes_of, on_top
from shared.pipeline.pull_plan import Plan, kind_of

NAME = "pull-request"
_LATE = 300.0
"""Seconds after which a branch that still is where it was before the push was set back, and is not shown late."""


@dataclass(frozen=True, slots=True)
class PullRequestPublisher:
    """`report_url` has `{runId}` where the run's name goes; None where reports have no address."""

    writer: CodeWriter
    report_url: str | None = None

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context)."""
        source, finished = origin.find(ctx, run), results.finished(ctx, run)
        if source is None or finished is None or source.results != NAME or source.pull_request:
            return None
        before, job = publish.recall(ctx, run, NAME) or {}, _Job(ctx, run, source, finished, self.writer)
        with lock.held(ctx, own_branch.place(job.repository, job.branch), NAME):
            report = self.report_url.replace("{runId}", run) if self.report_url else None
            told = _Publication(job, report).tell()
        if "superseded" not in told:
            return told
        return {k: v for k, v in before.items() if k not in ("error", "at")} or told


class _Job:
    """What a publication is about, and where it writes."""

    def __init__(self, ctx: Context, run: str, source: origin.Origin, finished: results.Finished, writer: CodeWriter) -> None:
        self.ctx, self.run, self.source, self.finished, self.writer = ctx, run, source, finished, writer
        self.repository, self.base, self.app = source.repository, source.base, names.app_of(run)
        self.branch = branch_of(self.app, self.base, source.main)
        self.reader = ctx.code_reader()

    def newest(self) -> Commit:
        """The head of the branch that was pushed to."""
        head = self.writer.head(self.repository, self.base)
        if head is None:
            raise ValidationError(f"{self.repository.name} has no branch {self.base} any more")
        return self.reader.commit(self.repository, head)

    def superseded(self, newest: Commit) -> bool:
        """Whether a later push changed the application: that push has a run of its own.

        Raises TransientError where GitHub may not show the push of this run yet.
        """
        mine, path = self.source.commit, self.source.path
        if newest.sha == mine:
            return False
        young = self.ctx.clock() - state.load(self.ctx, names.started(self.run))["startedAt"] < _LATE
        if young and newest.sha == self.source.before:
            raise TransientError(f"GitHub does not show the push to {self.base} yet")
        found = self.reader.compare(self.repository, mine, newest.sha)
        if found is None or not found.whole or not found.straight:
            return True
        one = Application(path=path, app=self.app, target=self.source.target)
        paths = of_manifests(found.paths, lambda: self._paths(newest)) if path == ROOT else found.paths
        return any(touched([one], paths))

    def _paths(self, newest: Commit) -> list[str]:
        return [entry.path for entry in checkout.files(self.ctx, self.repository, newest.tree, ROOT)]


def branch_of(app: str, base: str, default: str) -> str:
    """The program's branch for an application; one more for each further branch that is watched."""
    return f"{OWN_BRANCHES}{app}" if base == default else f"{OWN_BRANCHES}{app}@{base}"


class _Publication:
    """One telling of one run."""

    def __init__(self, job: _Job, report: str | None) -> None:
        self.job, self.report = job, report
        self.memory: Memory = own_branch.recall(job.ctx, job.repository, job.branch)
        self.missing = False

    def tell(self) -> dict[str, Any]:
        job = self.job
        newest = job.newest()
        if job.superseded(newest):
            return {"superseded": newest.sha}
        target = self._target(newest)
        plan = pull_plan.plan(job.ctx, job.run, job.source, job.finished, newest, target, self.memory)
        pulls = self._pulls(plan)
        current = next((pull for pull in pulls if pull.open), None)
        if not plan.worth:
            return self._nothing(plan, current, newest)
        last = pulls[0] if pulls else None
        if current is None and last and not last.merged:
            if (pull_text.result_in(last.body) or self.memory.result) == plan.result:
                return self._told(last, plan, "closed by somebody: the result is the same")
            current = self._reopened(last)
        left = self._push(plan, newest, target, last)
        return self._told(self._pull(plan, current, left), plan, "open", left)

    def _pulls(self, plan: Plan) -> list[PullRequest]:
        """The program's own, and any other of the branch into the same base, beside which the host allows no second one."""
        found = self.job.writer.pulls(self.job.repository, self.job.branch)
        mine = [pull for pull in found if pull_text.result_in(pull.body) is not None]
        return mine + [pull for pull in found if pull not in mine and pull.base == plan.layout.base]

    def _target(self, newest: Commit) -> Commit:
        """The head of the branch that the pull request goes into; it begins where the other one is."""
        job, wanted = self.job, self.job.source.layout_of(self.job.finished.setup).base
        if wanted == job.base:
            return newest
        head = job.writer.head(job.repository, wanted)
        self.missing = head is None
        return newest if head is None else job.reader.commit(job.repository, head)

    def _push(self, plan: Plan, newest: Commit, target: Commit, last: PullRequest | None) -> tuple[str, ...]:
        """Bring the branch up to date; the files that were left as somebody else changed them."""
        job, head = self.job, self.job.writer.head(self.job.repository, self.job.branch)
        replaceable = head is None or self._ours(head, newest, last)
        if replaceable:
            line, left = self._commits(plan, newest, target)
        else:
            there = self._line(job.reader.commit(job.repository, str(head)), newest)
            update = on_top(there, (newest.sha, newest.tree), _without(plan), plan.content, self.memory, plan.message, strict=True)
            line, left = update.line, tuple(sorted({*plan.left, *update.left}))
        self._prove(plan, line, left)
        if line.head == head:
            return left
        self.memory.note({path: kind_of(plan.there.get(path)) for path in self.memory.written if path not in plan.wanted})
        self.memory.note({path: kind for path, kind in plan.wanted.items() if path not in left})
        self.memory.heads += [line.head] if replaceable and line.head not in self.memory.heads else []
        self.memory.result = plan.result
        own_branch.remember(job.ctx, job.repository, job.branch, self.memory)
        if self.missing:
            job.writer.create(job.repository, plan.layout.base, newest.sha)
        if head is None:
            job.writer.create(job.repository, job.branch, line.head)
        else:
            job.writer.move(job.repository, job.branch, line.head, expected=head, force=replaceable)
        return left

    def _ours(self, head: str, newest: Commit, last: PullRequest | None) -> bool:
        """Whether nothing of anybody else is lost with a head: we pushed it, it was merged, or the base has it."""
        if head in self.memory.heads or (last is not None and last.merged and last.head == head):
            return True
        return own_branch.is_all_ours(self._line(self.job.reader.commit(self.job.repository, head), newest), newest.sha)

    def _commits(self, plan: Plan, newest: Commit, target: Commit) -> tuple[Line, tuple[str, ...]]:
        """The commits on top of the base, one for each kind of change."""
        job, line = self.job, self._line(target, newest)
        if target.sha != newest.sha:
            update = on_top(line, (newest.sha, newest.tree), _without(plan), plan.content, self.memory, plan.message, strict=False)
            if not update.clean:
                raise ValidationError(f"{plan.layout.base} and {job.base} changed the same files: merge {job.base} into {plan.layout.base}")
            return update.line, update.left
        current = {path: kind_of(entry) for path, entry in plan.there.items()}
        wanted = _without(plan)
        for message, kinds in [*plan.steps, (plan.message, wanted)]:
            step = {path: kind for path, kind in kinds.items() if path in wanted and current.get(path) != kind}
            if step:
                line = line.add(message, changes_of(step, plan.content))
                current |= step
        return line, plan.left

    def _line(self, commit: Commit, newest: Commit) -> Line:
        return Line(self.job.reader, self.job.writer, self.job.repository, newest.at, commit.sha, commit.tree)

    def _prove(self, plan: Plan, line: Line, left: Sequence[str]) -> None:
        """What GitHub has is what the run made, byte for byte. Raises CriticalError where it is not."""
        job = self.job
        there = pull_plan.listings(job.ctx, job.repository, line.tree, plan.layout)
        wrong = [path for path, kind in plan.wanted.items() if path not in left and kind_of(there.get(path)) != kind]
        if wrong:
            raise CriticalError(f"GitHub has not what was sent: {len(wrong)} files, the first {wrong[0]}")

    def _reopened(self, last: PullRequest) -> PullRequest | None:
        """A closed pull request, open again while its branch still is what it was; None where GitHub will not."""
        if self.job.writer.head(self.job.repository, self.job.branch) is None:
            return None
        try:
            return self.job.writer.change_pull(self.job.repository, last.number, {"state": "open"})
        except ValidationError:
            return None

    def _pull(self, plan: Plan, current: PullRequest | None, left: Sequence[str]) -> PullRequest:
        job = self.job
        asked = job.base if plan.questions else None
        above = pull_text.paragraphs(plan.layout, plan.watched, left, asked, written=plan.written, created=plan.created)
        text = self._body(above, plan.result)
        if current is None:
            return job.writer.open_pull(job.repository, job.branch, plan.layout.base, pull_text.title(job.app), text)
        fields = {"body": text} if current.body != text else {}
        fields |= {"base": plan.layout.base} if current.base != plan.layout.base else {}
        return job.writer.change_pull(job.repository, current.number, fields) if fields else current

    def _body(self, above: Sequence[str], result: str) -> str:
        done = self.job.finished
        return pull_text.pull_body(done.setup, done.outcomes, done.diffs, above=above, result=result, report_url=self.report)

    def _nothing(self, plan: Plan, current: PullRequest | None, newest: Commit) -> dict[str, Any]:
        """Close an open pull request that has nothing to say any more; one with commits of others is only told.

        Files that failed may need the changes that it has.
        """
        if current is None:
            return {}
        outcomes = self.job.finished.outcomes
        if any(outcome.status == "failed" for outcome in outcomes):
            return self._told(current, plan, "open: the last run could not look at every file")
        job, why = self.job, pull_text.closing(plan.layout, newest.sha, outcomes)
        head = job.writer.head(job.repository, job.branch)
        job.writer.comment_once(job.repository, current.number, pull_text.marker(job.run, pull_text.NOTHING), why)
        if head is not None and not self._ours(head, newest, None):
            return self._told(current, plan, "open: others committed to it, and nothing of ours is left")
        fields = {"body": self._body([why], pull_text.NOTHING), "state": "closed"}
        return self._told(job.writer.change_pull(job.repository, current.number, fields), plan, "closed: nothing is left to change")

    def _told(self, pull: PullRequest, plan: Plan, standing: str, left: Sequence[str] = ()) -> dict[str, Any]:
        told = {"url": pull.url, "number": pull.number, "branch": self.job.branch, "state": standing, "result": plan.result}
        return told | ({"left": list(left)} if left else {})


def _without(plan: Plan) -> dict[str, tuple[str, str] | None]:
    """What is wanted, but for what was left alone."""
    return {path: kind for path, kind in plan.wanted.items() if path not in plan.left}
