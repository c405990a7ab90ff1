"""A YAML text inside a scalar (Helm values, an inline patch), edited with the program's own editor so that its comments stay."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain import editor
from shared.domain.convert.base import CannotConvert, Op
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.manifest import read_manifest
from shared.domain.model import PatchOperation


def edited_text(text: str, operations: Sequence[Op], at: str) -> str:
    """The text after operations over the array of its documents; `at` is where it stands. Raises CannotConvert where it resists."""
    inner = [PatchOperation(o.op, o.path, "", o.value) for o in operations]
    manifest = read_manifest("text.yaml", text.encode())
    try:
        after = editor.apply_operations(manifest, inner)
        editor.prove(manifest, inner, after)
    except (EditRefused, ProofFailed) as error:
        raise CannotConvert(f"The text could not be edited: {error}.", path=at) from error
    return after.decode()
