"""What starts no run is recorded with its reason, so that nobody waits for a run in vain."""

from __future__ import annotations

from shared import logs
from shared.pipeline import names, state
from shared.pipeline.context import Context


def record(ctx: Context, name: str, reason: str) -> None:
    """Record an upload, a push or a pull request that starts no run."""
    logs.event("ignored", name=name, reason=reason)
    state.save(ctx, names.ignored(name), {"name": name, "reason": reason})
