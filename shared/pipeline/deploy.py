"""A `deploy` message of the `intake` queue: a merged pull request of ours, or somebody's POST, starts the team's deployment, once.

    from GitHub   {"repository", "installation", "branch", "pullRequest", "commit"...}: the run is named by the branch's own commits
    from the API  {"commit": SHA or null}: the commit, or that of the run's merged pull request

`deploy.json` is created before the one call that starts something, so that neither a redelivery nor a crash starts it twice: an answer
that is lost is told as unknown, never tried again. What goes wrong here never makes a finished run a failed one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared import logs
from shared.domain.code_host import Repository
from shared.domain.decision_file import FILE_NAME, MAX_BYTES
from shared.domain.deployment import AGAIN, EVENT, Order, Refused, State, decide, evidence, run_named
from shared.domain.errors import CriticalError, PausedError, TransientError, ValidationError, patient
from shared.domain.messages import Envelope, timestamp
from shared.domain.repository import read_settings
from shared.pipeline import checkout, delivery, ignored, names, origin, publish, results, state, tracing
from shared.pipeline.context import Context

_CRASHED = 120.0
"""Seconds after which whoever started a deployment and did not say how it went is taken for dead."""
_AT_WORK = 30.0


def request(ctx: Context, run: str, commit: str | None) -> None:
    """Queue a deployment that somebody asked for. Raises ValidationError where one was started, or the run cannot be deployed."""
    record = state.find(ctx, names.deployment(run))
    if record is not None and record["state"] not in AGAIN:
        raise ValidationError(f"a deployment of this run was started before (it is {record['state']}): run its workflow again on GitHub")
    _deployable(ctx, run)
    with tracing.of_run(ctx, run, "deploy", kind="producer") as span:
        wish = {"commit": commit}
        message = Envelope(type="deploy", run_id=run, dedup_key=f"deploy/{run}", traceparent=span.traceparent, payload=wish)
        ctx.queue.send(names.INTAKE, message.encode())


def handle(ctx: Context, envelope: Envelope) -> delivery.Following | None:
    """Raises TransientError, always with a delay, where GitHub is away."""
    if envelope.run_id:
        _deploy(ctx, envelope)
        return None
    payload = envelope.payload or {}
    try:
        run = _run_of(ctx, payload)
    except TransientError as error:
        raise patient(error, envelope.attempt) from error
    return None if run is None else (envelope.model_copy(update={"run_id": run}), _deploy_merged)


def _run_of(ctx: Context, payload: Mapping[str, Any]) -> str | None:
    """The run whose result was merged; None, with a record of why, where there is none."""
    repository, number = Repository(payload["repository"], payload["installation"]), int(payload["pullRequest"])
    run = run_named(ctx.deploy_host().messages(repository, number))
    source = origin.find(ctx, run) if run and names.is_run_id(run) else None
    if run is None or source is None or source.name.lower() != repository.name.lower():
        ignored.record(ctx, f"github/{repository.name}#{number}", "merged, but none of its commits names a run of this repository")
        return None
    return run


def _deploy_merged(ctx: Context, envelope: Envelope) -> None:
    """The merge has a trace of its own; from here it is a matter of the run."""
    with tracing.joined(state.find(ctx, names.started(envelope.run_id)) or {}):
        _deploy(ctx, envelope)


def _deploy(ctx: Context, envelope: Envelope) -> None:
    run = envelope.run_id
    before = state.find(ctx, names.deployment(run))
    if before is not None and before["state"] not in AGAIN:
        _look_after(ctx, run, before)
        return
    try:
        order = _order(ctx, run, envelope.payload or {})
        if isinstance(order, Order):
            _start(ctx, run, order)
        elif order.asked or "head" not in (envelope.payload or {}):
            _keep(ctx, run, {"state": "refused", "error": order.reason, "at": _now(ctx)})
    except TransientError as error:
        raise patient(error, envelope.attempt) from error
    except (ValidationError, CriticalError) as error:
        gave_up(ctx, run, error)


def _look_after(ctx: Context, run: str, record: Mapping[str, Any]) -> None:
    """A message that comes again: whoever wrote `started` is at work, or died with the answer; or died before telling."""
    if record["state"] != "started":
        publish.announce(ctx, run, publish.SLACK)
        return
    if ctx.clock() - float(record["since"]) < _CRASHED:
        raise TransientError("the deployment is being started", _AT_WORK)
    _keep(ctx, run, {**record, "state": "unknown", "error": "the program stopped while it waited for GitHub's answer"})


def _order(ctx: Context, run: str, payload: Mapping[str, Any]) -> Order | Refused:
    source, finished = origin.load(ctx, run), results.finished(ctx, run)
    if finished is None:
        return Refused("the run is not finished")
    repository, layout = source.repository, source.layout_of(finished.setup)
    commit, ref = _what(ctx, run, repository, layout.base, payload)
    if commit is None:
        return Refused("the run has no merged pull request; name the commit to deploy")
    if ref != layout.base:
        return Refused(f"the pull request was merged into {ref}; what is deployed comes from {layout.base}")
    tree = ctx.code_reader().commit(repository, commit).tree
    entry = checkout.find(ctx.code_reader(), repository, tree, FILE_NAME)
    if entry is not None and entry.size > MAX_BYTES:
        return Refused(f"{FILE_NAME} is larger than {MAX_BYTES // 1024} KiB")
    data = checkout.content(ctx, repository, entry.sha, entry.size) if entry is not None and entry.is_file else None
    every = read_settings(data).all(repository.name)
    return decide(next((one for one in every if one.app == names.app_of(run)), None), run, commit, ref, layout.folder)


def _what(ctx: Context, run: str, repository: Repository, base: str, payload: Mapping[str, Any]) -> tuple[str | None, str]:
    """The commit to deploy and its branch: what was merged; or a commit that somebody named, and that is on the branch already."""
    if "head" in payload:
        return payload["commit"], str(payload["branch"])
    named = payload.get("commit")
    if named:
        found = ctx.code_reader().compare(repository, str(named), quote(base))
        if found is None or not found.straight:
            raise ValidationError(f"the commit {str(named)[:12]} is not on the branch {base}")
        return str(named), base
    number = (publish.recall(ctx, run, "pull-request") or {}).get("number")
    merged = ctx.deploy_host().merge_commit(repository, int(number)) if number else None
    return merged if merged is not None else (None, base)


def _start(ctx: Context, run: str, order: Order) -> None:
    """Claim the deployment, then start it. Whoever comes second finds the claim."""
    if order.by == "gitops":
        _claim(ctx, run, order.record("gitops", _now(ctx)))
        publish.announce(ctx, run, publish.SLACK)
        return
    record = order.record("started", _now(ctx)) | {"since": ctx.clock()}
    if not _claim(ctx, run, record):
        return
    try:
        url = _call(ctx, run, order)
    except PausedError as error:
        _settle(ctx, run, {**record, "state": "waiting", "error": logs.describe(error)})
        raise
    except TransientError as error:
        _settle(ctx, run, {**record, "state": "unknown", "error": logs.describe(error)})
    except (ValidationError, CriticalError) as error:
        _settle(ctx, run, {**record, "state": "refused", "error": logs.describe(error)})
    else:
        _settle(ctx, run, {**record, "state": "dispatched", "url": url})


def _settle(ctx: Context, run: str, record: Mapping[str, Any]) -> None:
    """How the one call went, unless the workflow was faster and said more."""
    logs.event("deployment", state=record["state"], error=record.get("error"))
    if state.load(ctx, names.deployment(run))["state"] == "started":
        _keep(ctx, run, record)


def _call(ctx: Context, run: str, order: Order) -> str:
    repository, host = origin.load(ctx, run).repository, ctx.deploy_host()
    logs.event("deployment", by=order.by, commit=order.commit)
    if order.by == "workflow":
        return host.start_workflow(repository, order.workflow, order.ref, order.inputs)
    host.send_event(repository, EVENT, order.inputs)
    return ""


def _claim(ctx: Context, run: str, record: Mapping[str, Any]) -> bool:
    """Write the record where there is none yet, or one of a deployment that was never started; True for one caller only."""
    found = ctx.blobs.read(names.RUNS, names.deployment(run), max_bytes=ctx.limits.state_bytes)
    if found is not None and json.loads(found[0])["state"] not in AGAIN:
        return False
    etag = None if found is None else found[1]
    return ctx.blobs.write(names.RUNS, names.deployment(run), state.dump(dict(record)), if_absent=etag is None, if_match=etag)


def gave_up(ctx: Context, run: str, error: Exception) -> None:
    """Record that nothing was started, or that nobody knows, and why; what is known of a deployment stays."""
    logs.failure("not deployed", error)
    before = state.find(ctx, names.deployment(run)) or {}
    after = "unknown" if before.get("state") == "started" else "refused"
    if before.get("state") in (None, "started", *AGAIN):
        _keep(ctx, run, {**before, "state": after, "error": logs.describe(error), "at": _now(ctx)})


def report(ctx: Context, run: str, said: State, url: str, text: str) -> dict[str, Any]:
    """What a workflow says of its deployment, whoever started it; the newest word counts. Raises ValidationError as `request` does."""
    _deployable(ctx, run)
    record = state.find(ctx, names.deployment(run)) or {"by": "hand", "app": names.app_of(run), "url": ""}
    known = {key: value for key, value in record.items() if key not in ("error", "since")}
    after = known | {"state": said, "url": url or known.get("url", ""), "evidence": evidence(text), "at": _now(ctx)}
    _keep(ctx, run, after)
    return after


def _deployable(ctx: Context, run: str) -> None:
    if origin.find(ctx, run) is None:
        raise ValidationError("only runs of a repository can be deployed")
    if not state.exists(ctx, names.done(run)):
        raise ValidationError("the run is not finished")


def _keep(ctx: Context, run: str, record: Mapping[str, Any]) -> None:
    state.save(ctx, names.deployment(run), dict(record))
    publish.announce(ctx, run, publish.SLACK)


def _now(ctx: Context) -> str:
    return timestamp(ctx.clock())
