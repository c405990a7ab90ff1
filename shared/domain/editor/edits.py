"""The three primitive edits of one document's text, chosen by what stands at the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.editor import block, flow
from shared.domain.editor.page import Page, Path, Trail, alias_targets, follow
from shared.domain.editor.splices import Splice, splice
from shared.domain.errors import EditRefused
from shared.domain.manifest.nodes import Alias, Mapping, Node, Sequence, walk
from shared.domain.manifest.values import value_of
from shared.domain.pointer import JsonValue


@dataclass(frozen=True, slots=True)
class Edit:
    """`set` an existing entry, `add` a missing key or insert an item, `remove` an entry. `path` is inside the document."""

    kind: Literal["set", "add", "remove"]
    path: Path
    value: JsonValue = None


def perform(page: Page, edit: Edit, *, shared: bool) -> str:
    """The new text. `shared`: the edit is wanted at every place where an anchor's content is seen. Raises EditRefused."""
    parent = edit.path if edit.kind != "add" else edit.path[:-1]
    trail = follow(page, parent)
    if len(trail.steps) < len(parent):
        raise EditRefused("the path is not there")
    if not shared:
        local = _literal_instead(page, edit, trail)
        if local is not None:
            return perform(page, local, shared=False)
        _refuse_anchored(page, edit, trail)
    return splice(page.text, _splices(page, edit, trail))


def _splices(page: Page, edit: Edit, trail: Trail) -> list[Splice]:
    if edit.kind == "add":
        return _add(page, edit, trail)
    step = trail.steps[-1]
    if edit.kind == "set":
        return flow.set_value(page, step, edit.value) if step.parent.flow else block.set_value(page, step, edit.value)
    if step.parent.flow:
        return flow.remove_entry(page, step.parent, step.index)
    if _length(step.parent) > 1:
        return block.remove_entry(page, step.parent, step.index)
    above = trail.steps[-2] if len(trail.steps) > 1 and trail.steps[-2].node is step.parent else None
    return block.remove_only(page, step.parent, None if above is None else block.value_place(page, above))


def _add(page: Page, edit: Edit, trail: Trail) -> list[Splice]:
    node, token = trail.container, edit.path[-1]
    node = node.target if isinstance(node, Alias) else node
    if not isinstance(node, Mapping | Sequence):
        raise EditRefused("the parent is neither a mapping nor a sequence")
    count = _length(node)
    key = token if isinstance(node, Mapping) else None
    index = count if key is not None or token == "-" else int(token)  # noqa: S105 -- RFC 6902's end of an array
    if not count and trail.steps and not trail.steps[-1].parent.flow and trail.steps[-1].node is node:
        return block.set_value(page, trail.steps[-1], {key: edit.value} if key is not None else [edit.value])
    add_entry = flow.add_entry if node.flow else block.add_entry
    return add_entry(page, node, index, key, edit.value)


def _length(node: Mapping | Sequence) -> int:
    return len(node.pairs) if isinstance(node, Mapping) else len(node.items)


def _literal_instead(page: Page, edit: Edit, trail: Trail) -> Edit | None:
    """For an edit behind an alias or a merge key: the edit that puts a literal of the changed value at that very place."""
    alias_at = len(trail.steps) if edit.kind == "add" and isinstance(trail.container, Alias) else None
    alias_at = trail.alias_at if trail.alias_at is not None else alias_at
    merge_at = trail.merge_at
    if alias_at is not None and (merge_at is None or alias_at < merge_at):
        path, kind = edit.path[:alias_at], "set"
    elif merge_at is not None:
        path, kind = edit.path[:merge_at], "add"
    else:
        return None
    if kind == "add" and edit.kind == "remove" and len(path) == len(edit.path):
        raise EditRefused("the key comes from a merge key (<<)")
    old = value_of(follow(page, path).steps[-1].node)
    return Edit("set" if kind == "set" else "add", path, changed(old, edit, len(path)))


def changed(value: JsonValue, edit: Edit, depth: int) -> JsonValue:
    """A value with an edit made; `depth` tokens of the edit's path lead to the value itself. The value is used up."""
    if depth == len(edit.path):
        return edit.value
    parent = value
    for token in edit.path[depth:-1]:
        parent = parent[int(token)] if isinstance(parent, list) else parent[token]
    last = edit.path[-1]
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        parent[index : index + (edit.kind != "add")] = [] if edit.kind == "remove" else [edit.value]
    elif edit.kind == "remove":
        del parent[last]
    else:
        parent[last] = edit.value
    return value


def _refuse_anchored(page: Page, edit: Edit, trail: Trail) -> None:
    """An edit of content that an alias elsewhere repeats, or the removal of its anchor."""
    gone = None if edit.kind == "add" else trail.steps[-1].node
    targets = alias_targets(page.root, without=gone)
    if not targets:
        return
    touched: list[Node] = [page.root, *(step.node for step in trail.steps)]
    if gone is not None:
        touched += [node for node in walk(gone) if not isinstance(node, Alias)]
    if any(id(node) in targets for node in touched):
        raise EditRefused("the text has an anchor whose aliases would change too")
