"""Inspector, Thinker and Patcher: load a batch, call the domain for every file, pass the results on.

What the domain raises for one file makes a `failed` entry of that file and stops nothing else; only a TransientError (an
outside service of a later issue) stops the batch, so that it is retried. A file that failed is carried through unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from shared import logs
from shared.domain.errors import TransientError
from shared.domain.messages import Envelope
from shared.domain.model import FileOutcome
from shared.domain.plan import FilePlan
from shared.domain.run import FileFindings, PatchedFile, RunSetup, SourceFile
from shared.pipeline import batches, mail, names, results, state, tracing
from shared.pipeline.context import Context

T = TypeVar("T")


def inspect(ctx: Context, envelope: Envelope) -> None:
    """`inspections` -> `violations`: {"findings": [FileFindings], "failed": {path: reason}}."""
    setup, batch, number, _ = _open(ctx, envelope)
    failed = {file.path: batch.broken for file in batch.files} if batch.broken else {}
    found = [_guarded("inspector", f, failed, lambda x: ctx.engine.inspect(x, setup)) for f in batch.files]
    payload = {"findings": [x.to_json() for x in found if x is not None], "failed": failed}
    mail.send_batch(ctx, names.VIOLATIONS, envelope, "think", number, payload)
    _progress(ctx, envelope, "inspector", number)


def think(ctx: Context, envelope: Envelope) -> None:
    """`violations` -> `patches`: the same, with {"plans": [FilePlan]}."""
    setup, batch, number, payload = _open(ctx, envelope)
    failed, findings = dict(payload["failed"]), _by_path(payload["findings"], FileFindings.from_json)
    made = [(f, _guarded("thinker", f, failed, lambda x: ctx.engine.propose(x, findings[x.path], setup))) for f in batch.files]
    plans = _advised(ctx, envelope, setup, [(f, findings[f.path], plan) for f, plan in made if plan is not None])
    content = dict(payload) | {"failed": failed, "plans": [plan.to_json() for plan in plans]}
    mail.send_batch(ctx, names.PATCHES, envelope, "patch", number, content)
    _progress(ctx, envelope, "thinker", number)


def _advised(
    ctx: Context, envelope: Envelope, setup: RunSetup, made: Sequence[tuple[SourceFile, FileFindings, FilePlan]]
) -> list[FilePlan]:
    """The rules' plans, with what a language model makes of what they leave open."""
    if setup.model == "off" or ctx.model is None:
        return [plan for _, _, plan in made]
    from shared.pipeline.model_run import Job, with_model  # noqa: PLC0415 - heavy; only where a model is used

    asked = with_model(ctx, envelope, setup, [Job(*each) for each in made])
    return [asked.get(file.path, plan) for file, _, plan in made]


def patch(ctx: Context, envelope: Envelope) -> None:
    """`patches` -> `reports`. The first result of a batch is kept for ever; a redelivery only completes its writes."""
    setup, batch, number, payload = _open(ctx, envelope)
    stored = results.find(ctx, setup.run_id, number)
    if stored is None:
        stored = results.keep(ctx, setup.run_id, number, _patched(ctx, setup, batch, payload))
    for path, data in results.bytes_of(batch, stored):
        ctx.blobs.write(names.PATCHED, f"{setup.run_id}/{path}", data, if_absent=True)
    mail.send_batch(ctx, names.OUTCOMES, envelope, "report", number, {})
    _progress(ctx, envelope, "patcher", number)


def _patched(ctx: Context, setup: RunSetup, batch: batches.Batch, payload: Any) -> list[PatchedFile]:
    failed = dict(payload["failed"])
    findings, plans = _by_path(payload["findings"], FileFindings.from_json), _by_path(payload["plans"], FilePlan.from_json)
    done = []
    for f in batch.files:
        result = _guarded("patcher", f, failed, lambda x: ctx.engine.patch(x, findings[x.path], plans[x.path], setup))
        done.append(result or PatchedFile(FileOutcome(f.path, "failed", failed[f.path]), f.data))
    return done


def _open(ctx: Context, envelope: Envelope) -> tuple[RunSetup, batches.Batch, int, Any]:
    payload = mail.payload_of(ctx, envelope)
    number = int(payload["batch"])
    return state.load_setup(ctx, envelope.run_id), batches.load(ctx, envelope.run_id, number), number, payload


def _by_path(items: Any, read: Callable[[Any], T]) -> dict[str, T]:
    return {item["path"]: read(item) for item in items}


def _guarded(stage: str, file: SourceFile, failed: dict[str, str], step: Callable[[SourceFile], T]) -> T | None:
    """The step's result, or None where the file failed, here or before; `failed` then says why."""
    if file.path in failed:
        return None
    try:
        return step(file)
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - any bug on one file is that file's failure
        logs.failure("file failed", error, stage=stage, path=file.path)
        failed[file.path] = f"{stage}: {logs.describe(error)}"
        return None


def _progress(ctx: Context, envelope: Envelope, stage: str, number: int) -> None:
    state.save(ctx, names.progress(envelope.run_id, stage, number), tracing.mark())
