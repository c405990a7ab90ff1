"""The container `knowledge` as a run sees it: its files are frozen once, under their own digest, so that every replay reads the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from shared.domain.errors import TransientError, ValidationError
from shared.domain.knowledge import FOLDERS, MAX_BYTES, belongs, decoded
from shared.domain.ports import BlobInfo
from shared.pipeline import names, state
from shared.pipeline.context import Context

NOTHING = ""


def keep(ctx: Context) -> str:
    """Freeze what the container holds now; its digest, NOTHING where it holds nothing.

    A file that cannot be used is frozen too: the run that needs it says what is wrong with it.
    """
    blobs = [b for folder in FOLDERS for b in ctx.blobs.list(names.KNOWLEDGE, f"{folder}/") if belongs(b.name)]
    if not blobs:
        return NOTHING
    texts = {b.name: None if b.size > MAX_BYTES else _bytes(ctx, b).decode("latin-1") for b in blobs}
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
    state.save(ctx, names.knowledge(digest), texts, if_absent=True)
    return digest


def load(ctx: Context, digest: str) -> Mapping[str, str]:
    """The frozen texts by path. Raises ValidationError where one is no text, or all are too large."""
    if digest == NOTHING:
        return {}
    frozen: dict[str, str | None] = state.load(ctx, names.knowledge(digest))
    large = sorted(name for name, text in frozen.items() if text is None)
    if large:
        raise ValidationError(f"knowledge: {large[0]}: larger than {MAX_BYTES // 1024} KiB")
    return decoded((name, text.encode("latin-1")) for name, text in frozen.items() if text is not None)


def _bytes(ctx: Context, blob: BlobInfo) -> bytes:
    found = ctx.blobs.read(names.KNOWLEDGE, blob.name, max_bytes=4 * MAX_BYTES)
    if found is None or found[1] != blob.etag:
        raise TransientError(f"{blob.name} changed while it was read", ctx.limits.quiet_seconds)
    return found[0]
