"""The proof after every edit (DESIGN 6.2): what the text now says is exactly what the operations say."""

from __future__ import annotations

from collections.abc import Sequence

import jsonpatch
from jsonpointer import JsonPointerException

from shared.domain import pointer
from shared.domain.editor.diff import equal
from shared.domain.errors import ProofFailed
from shared.domain.manifest import Document, Manifest, kept_manifest
from shared.domain.manifest.compose import ComposeError, compose_pure
from shared.domain.manifest.nodes import tail
from shared.domain.manifest.values import is_null, value_of
from shared.domain.model import PatchOperation


def prove(before: Manifest, operations: Sequence[PatchOperation], after: bytes) -> Manifest:
    """The new file as read, once everything holds. Raises ProofFailed.

    Proven: the documents equal jsonpatch's result (1 is not true), also as PyYAML's own parser reads them; documents
    without an operation have the same text; byte order mark, line ends and final newline are as they were.
    """
    expected = _expected(before, operations)
    new = kept_manifest(before.path, after)
    if not expected and not after:
        return new
    if new.status == "refused":
        raise ProofFailed(f"the edited file cannot be read back: {new.reason}")
    if not equal(expected, [d.value for d in new.documents]):
        raise ProofFailed("the edited text does not say what the operations say")
    _prove_untouched(before, new, operations)
    _prove_form(before, new)
    return new


def _expected(before: Manifest, operations: Sequence[PatchOperation]) -> list[object]:
    try:
        result = jsonpatch.apply_patch([d.value for d in before.documents], [o.rfc6902() for o in operations])
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, IndexError) as error:
        raise ProofFailed("the operations cannot be applied to the documents") from error
    return list(result)


def _prove_untouched(before: Manifest, new: Manifest, operations: Sequence[PatchOperation]) -> None:
    for index, origin in enumerate(_origins(len(before.documents), operations)):
        if origin is None:
            if not before.is_json:
                _prove_pure(new.documents[index])
        elif _body(before.documents[origin]) != _body(new.documents[index]):
            raise ProofFailed(f"document {index} changed, though no operation names it")


def _origins(count: int, operations: Sequence[PatchOperation]) -> list[int | None]:
    """For each document after the operations, the number it had before if none touched it."""
    origins: list[int | None] = list(range(count))
    for operation in operations:
        index, *rest = pointer.split(operation.path)
        number = int(index)
        if rest or operation.op == "replace":
            origins[number] = None
        elif operation.op == "add":
            origins.insert(number, None)
        else:
            origins.pop(number)
    return origins


def _body(document: Document) -> str:
    return document.text[document.root.node.start : max(tail(document.root.node), document.end)].rstrip("\r\n")


def _prove_pure(document: Document) -> None:
    start, end = document.span
    try:
        nodes = [root.node for root in compose_pure(document.text[start:end]) if not is_null(root.node)]
        values = [value_of(node) for node in nodes]
    except ComposeError as error:
        raise ProofFailed(f"the edited document is read differently by another parser: {error}") from error
    if not equal(values, [document.value]):
        raise ProofFailed("the edited document is read differently by another parser")


def _prove_form(before: Manifest, new: Manifest) -> None:
    if before.bom != new.bom:
        raise ProofFailed("the byte order mark changed")
    ends = _line_ends(before.text)
    if len(ends) == 1 and _line_ends(new.text) - ends:
        raise ProofFailed("the line ends changed")
    if before.text.endswith("\n") and not new.text.endswith("\n"):
        raise ProofFailed("the final line end is gone")


def _line_ends(text: str) -> set[str]:
    found = {"\r\n"} if "\r\n" in text else set()
    return found | ({"\n"} if text.count("\n") > text.count("\r\n") else set())
