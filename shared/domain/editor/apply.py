"""RFC 6902 operations over the array of a file's documents, applied to the file's text."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain import pointer
from shared.domain.editor.chunks import Chunks
from shared.domain.editor.diff import edits_between
from shared.domain.editor.edits import Edit, perform
from shared.domain.editor.page import Page, Path, follow
from shared.domain.editor.sharing import twins
from shared.domain.editor.style import style_of
from shared.domain.errors import EditRefused
from shared.domain.manifest import Manifest
from shared.domain.manifest.nodes import Alias, Mapping, resolved
from shared.domain.manifest.values import value_of
from shared.domain.model import PatchOperation

_BOM = b"\xef\xbb\xbf"


def apply_operations(manifest: Manifest, operations: Sequence[PatchOperation]) -> bytes:
    """The file's new bytes; b"" where no document is left.

    Everything outside the edited nodes stays byte for byte. An edit of anchored content is made at the anchor where
    the operations change every place alike that shows it, else a literal takes the alias's place.
    Raises EditRefused with the index of the operation at fault. Call `prove` on the result.
    """
    if manifest.status == "refused" or not manifest.documents:
        raise EditRefused("the file cannot be edited", None)
    chunks = Chunks.of(manifest, style_of(manifest.text, manifest.documents))
    done: set[int] = set()
    for index in range(len(operations)):
        if index in done:
            continue
        try:
            done |= _apply(chunks, operations, index, done)
        except EditRefused as error:
            raise EditRefused(str(error), index) from error
    if not chunks.documents:
        return b""
    return (_BOM if manifest.bom else b"") + _encoded(chunks.text)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EditRefused("a value holds characters that UTF-8 cannot hold") from error


def _tokens(operation: PatchOperation) -> tuple[int, Path]:
    first, *rest = pointer.split(operation.path) or ["-"]
    if not first.isdigit():
        raise EditRefused("a path starts with the number of a document")
    return int(first), tuple(rest)


def _apply(chunks: Chunks, operations: Sequence[PatchOperation], index: int, done: set[int]) -> set[int]:
    """Makes one operation; returns the indices of the later ones that were made with it."""
    operation = operations[index]
    document, path = _tokens(operation)
    if not path:
        _whole(chunks, operation, document)
        return set()
    if document >= len(chunks.documents):
        raise EditRefused("the path is not there")
    page = chunks.page(document)
    places = twins(page, path)
    alike = _alike(places, operations, index, document, done)
    edits = _shared_edits(page, operation, [path, *sorted(places)]) if alike else _edits(page, operation, path)
    for edit in edits:
        chunks.documents[document].text = perform(chunks.page(document), edit, shared=bool(alike))
    return alike


def _shared_edits(page: Page, operation: PatchOperation, places: list[Path]) -> list[Edit]:
    """The edits for a change at all places that show an anchor's content: one where it is written, or each entry's removal."""
    trails = {place: follow(page, place) for place in places}
    if operation.op != "remove":
        home = next((p for p, t in trails.items() if not (t.steps and isinstance(t.steps[-1].node, Alias))), places[0])
        return _edits(page, operation, home)
    slots = {(id(t.steps[-1].parent), t.steps[-1].index): (t.steps[-1].node.start, p) for p, t in trails.items()}
    return [Edit("remove", place) for _, place in sorted(slots.values(), reverse=True)]


def _whole(chunks: Chunks, operation: PatchOperation, document: int) -> None:
    if operation.op == "remove":
        chunks.remove(document)
    elif operation.op == "add":
        chunks.add(document, operation.value)
    else:
        chunks.replace(document, operation.value)


def _alike(places: set[Path], operations: Sequence[PatchOperation], index: int, document: int, done: set[int]) -> set[int]:
    """The later operations that make the same change at every other place; empty where one place is left out."""
    operation = operations[index]
    found: dict[Path, int] = {}
    for later in range(index + 1, len(operations)):
        other = operations[later]
        where = _tokens(other)
        same = other.op == operation.op and other.value == operation.value and where[0] == document
        if same and later not in done and where[1] in places:
            found.setdefault(where[1], later)
    return set(found.values()) if places and found.keys() == places else set()


def _edits(page: Page, operation: PatchOperation, path: Path) -> list[Edit]:
    trail = follow(page, path)
    exists = len(trail.steps) == len(path)
    if not exists and (operation.op != "add" or len(trail.steps) < len(path) - 1):
        raise EditRefused("the path is not there")
    if operation.op == "remove":
        return [Edit("remove", path)]
    if not exists:
        return [Edit("add", path, operation.value)]
    if operation.op == "add" and not isinstance(resolved(follow(page, path[:-1]).container), Mapping):
        return [Edit("add", path, operation.value)]
    return list(edits_between(value_of(trail.steps[-1].node), operation.value, path))
