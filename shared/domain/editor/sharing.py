"""Where else in a document the content of an anchor is seen: through aliases and merge keys."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.editor.page import Page, Path, follow
from shared.domain.manifest.nodes import Mapping, Node, Sequence, resolved
from shared.domain.manifest.values import has_aliases, is_merge, key_name, merge_sources

_Sighting = tuple[Path, int, Node]
"""(path, id of the mapping or sequence in whose text the entry stands, the entry's node with its alias followed)."""


def twins(page: Page, path: Path) -> set[Path]:
    """The other paths at which the same text is seen, for an existing entry or a new one in an existing mapping."""
    if page.json or not has_aliases(page.root):
        return set()
    trail = follow(page, path)
    seen = list(_sightings(page.root, ()))
    if len(trail.steps) < len(path):
        container = resolved(trail.container)
        found = {(*where, path[-1]) for where, node in _containers(seen, page.root) if _shows(node, container)}
    else:
        step, node = trail.steps[-1], resolved(trail.steps[-1].node)
        found = {p for p, owner, n in seen if n is node or (owner == id(step.parent) and p[-1] == path[-1])}
    return found - {path}


def _containers(seen: list[_Sighting], root: Node) -> Iterator[tuple[Path, Node]]:
    yield (), root
    for path, _, node in seen:
        yield path, node


def _shows(node: Node, container: Node) -> bool:
    """Whether a new key of `container` would be seen in `node` as well."""
    if node is container:
        return True
    return isinstance(node, Mapping) and any(_shows(source, container) for source in merge_sources(node))


def _sightings(node: Node, path: Path) -> Iterator[_Sighting]:
    node = resolved(node)
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield (*path, str(index)), id(node), resolved(item)
            yield from _sightings(item, (*path, str(index)))
    elif isinstance(node, Mapping):
        for name, owner, value in _visible(node):
            yield (*path, name), owner, resolved(value)
            yield from _sightings(value, (*path, name))


def _visible(node: Mapping) -> Iterator[tuple[str, int, Node]]:
    """A mapping's own entries, then those that merges bring in and nothing overrides."""
    names = set()
    for key, value in node.pairs:
        if not is_merge(key):
            names.add(key_name(key))
            yield key_name(key), id(node), value
    for source in merge_sources(node):
        for name, owner, value in _visible(source):
            if name not in names:
                names.add(name)
                yield name, owner, value
