"""Where a run stands, read from the names in its folder: for GET /api/runs and `aks-copilot watch` alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.domain.messages import timestamp
from shared.pipeline import names, publish, state
from shared.pipeline.context import Context
from shared.telemetry import trace_id

_READERS = 8
_STAGES = ("inspector", "thinker", "patcher")


def list_runs(ctx: Context, limit: int = 50) -> list[dict[str, Any]]:
    """The newest runs first: {"runId", "app", "state", "startedAt"}."""
    entries = [blob.name for blob in ctx.blobs.list(names.RUNS, "index/", limit=limit)]
    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(lambda entry: _brief(ctx, entry.removeprefix("index/").partition("-")[2]), entries))


def _brief(ctx: Context, run: str) -> dict[str, Any]:
    record = state.find(ctx, names.started(run)) or {}
    at = record.get("startedAt")
    return {"runId": run, "app": record.get("app"), "state": _state_of(ctx, run), "startedAt": timestamp(at) if at else None}


def _state_of(ctx: Context, run: str) -> str:
    for name, word in ((names.done(run), "done"), (names.failed(run), "failed"), (names.dispatched(run), "running")):
        if state.exists(ctx, name):
            return word
    return "queued"


def run_status(ctx: Context, run: str) -> dict[str, Any] | None:
    """{"runId", "app", "state", "startedAt", "traceId" (of its spans and log lines), "finishedAt", "files", "batches",
    "stages": {stage: finished batches}, "errors", "notes", "origin" (of a run from GitHub, else None), "published", "deployment" (where
    there is one), "summary"}, or None where no such run is known. `state` is queued, running, done or failed."""
    record = state.find(ctx, names.started(run)) if names.is_run_id(run) else None
    if record is None:
        return None
    found = [blob.name.removeprefix(f"{run}/") for blob in ctx.blobs.list(names.RUNS, f"{run}/")]
    manifest = state.find(ctx, names.manifest(run)) or {}
    done = state.find(ctx, names.done(run))
    return {
        "runId": run,
        "app": record["app"],
        "state": _state(found),
        "startedAt": timestamp(record["startedAt"]),
        "traceId": trace_id(record["traceparent"]) if "traceparent" in record else None,
        "finishedAt": timestamp(done["finishedAt"]) if done else None,
        "files": manifest.get("files"),
        "batches": manifest.get("batches"),
        "stages": {stage: sum(name.startswith(f"progress/{stage}/") for name in found) for stage in _STAGES}
        | {"reporter": _joined(ctx, run)},
        "errors": _errors(ctx, run, found),
        "notes": manifest.get("notes", []),
        "origin": state.find(ctx, names.origin(run)),
        "published": publish.told(ctx, run, found),
        "deployment": state.find(ctx, names.deployment(run)),
        "summary": {key: done[key] for key in ("files", "statuses", "resolutions")} if done else None,
    }


def _state(found: Sequence[str]) -> str:
    words = (("done.json", "done"), ("failed.json", "failed"), ("dispatched", "running"))
    return next((word for name, word in words if name in found), "queued")


def _joined(ctx: Context, run: str) -> int:
    found = ctx.blobs.read(names.RUNS, names.join(run), max_bytes=ctx.limits.state_bytes)
    return sum(byte.bit_count() for byte in found[0]) if found else 0


def _errors(ctx: Context, run: str, found: Sequence[str]) -> list[Mapping[str, Any]]:
    """What went wrong, each try; what ended the run only where no try says the same."""
    tries = [name for name in found if name.startswith("errors/")][:20]
    records = [record for name in tries if (record := state.find(ctx, f"{run}/{name}"))]
    end = state.find(ctx, names.failed(run)) if "failed.json" in found else None
    if end and not any((one["stage"], one["error"]) == (end["stage"], end["error"]) for one in records):
        records.append(end)
    return [{key: record.get(key) for key in ("stage", "attempt", "class", "error", "at")} for record in records]
