"""A short lock for what outsiders do not make idempotent: finding something of ours and creating it where it is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.errors import BusyError
from shared.pipeline import names, state
from shared.pipeline.context import Context

LIFE, AGAIN = 90.0, 2.0
"""Seconds: after which a lock that a crash left behind is taken over; the wait of the one who finds it held."""


@contextmanager
def held(ctx: Context, run: str, name: str) -> Iterator[None]:
    """Hold the lock of a run's publisher. Raises BusyError where another holds it."""
    blob, now = f"{run}/{name}.lock", ctx.clock()
    if not state.save(ctx, blob, {"at": now}, if_absent=True):
        there = ctx.blobs.read(names.RUNS, blob, max_bytes=1024)
        if there is None or now - json.loads(there[0])["at"] < LIFE:
            raise BusyError(f"another message tells of this run ({name})", AGAIN)
        if not ctx.blobs.write(names.RUNS, blob, state.dump({"at": now}), if_match=there[1]):
            raise BusyError(f"another message tells of this run ({name})", AGAIN)
    try:
        yield
    finally:
        ctx.blobs.delete(names.RUNS, blob)
