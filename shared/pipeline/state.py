"""Reading and writing the JSON blobs of a run; what is missing or unreadable there is the program's fault (Critical)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared import telemetry
from shared.domain.errors import CriticalError, ValidationError
from shared.domain.pointer import JsonValue
from shared.domain.run import RunSetup
from shared.pipeline import names
from shared.pipeline.context import Context


def dump(value: JsonValue) -> bytes:
    """Compact JSON bytes. The order of keys is kept: it is the order in which a patch writes them into a manifest."""
    return json.dumps(value, separators=(",", ":")).encode()


def save(ctx: Context, name: str, value: JsonValue, *, if_absent: bool = False) -> bool:
    """Write a JSON blob in `runs`; False where it was to be new and was not."""
    return ctx.blobs.write(names.RUNS, name, dump(value), if_absent=if_absent)


def find(ctx: Context, name: str) -> Any:
    """The JSON value of a blob in `runs`, or None where it is not there. Raises CriticalError where it is no JSON."""
    try:
        found = ctx.blobs.read(names.RUNS, name, max_bytes=ctx.limits.state_bytes)
        return None if found is None else json.loads(found[0])
    except (ValueError, ValidationError) as error:
        raise CriticalError(f"stored state runs/{name} cannot be read") from error


def load(ctx: Context, name: str) -> Any:
    """As `find`, but a missing blob is a CriticalError: the message names a run that was never frozen."""
    value = find(ctx, name)
    if value is None:
        raise CriticalError(f"stored state runs/{name} is missing")
    return value


def exists(ctx: Context, name: str) -> bool:
    """Whether a blob is in `runs`, without reading it: a name sorts before all longer names that it begins."""
    first = next(iter(ctx.blobs.list(names.RUNS, name, limit=1)), None)
    return first is not None and first.name == name


def load_setup(ctx: Context, run: str) -> RunSetup:
    """The frozen setup. Raises CriticalError where the run was never frozen."""
    return RunSetup.from_json(load(ctx, names.setup(run)))


def register(ctx: Context, run: str, app: str, origin: str) -> Mapping[str, Any]:
    """Make a run known to listings. The first call's time and trace count, so that a redelivery finds the same index entry."""
    mine = {"runId": run, "app": app, "origin": origin, "startedAt": ctx.clock(), "traceparent": telemetry.traceparent()}
    save(ctx, names.started(run), mine, if_absent=True)
    record: Mapping[str, Any] = load(ctx, names.started(run))
    ctx.blobs.write(names.RUNS, names.indexed(run, record["startedAt"]), b"", if_absent=True)
    return record
