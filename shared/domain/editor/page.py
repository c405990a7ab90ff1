"""One document's text under edit, and the way from a path to the nodes it passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from shared.domain.editor.style import Style, is_json_like
from shared.domain.errors import EditRefused
from shared.domain.manifest.compose import ComposeError, compose
from shared.domain.manifest.jsontext import compose_json
from shared.domain.manifest.nodes import Alias, Mapping, Node, Sequence, walk
from shared.domain.manifest.values import is_merge, is_null, key_name, merge_sources

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A document's text with its node graph; `json` where it is written as JSON."""

    text: str
    root: Node
    style: Style
    json: bool

    @property
    def literal(self) -> bool:
        """Whether a literal block scalar can end the text: only before a final line end does it keep its own."""
        return self.text.endswith("\n")


def open_page(text: str, style: Style, *, is_json: bool) -> Page:
    """Composes a document's text. Raises EditRefused where it holds anything but one document."""
    root = _root(text, is_json)
    return Page(text, root, style, is_json or is_json_like(root))


@lru_cache(maxsize=2)
def _root(text: str, is_json: bool) -> Node:  # noqa: FBT001 (private)
    """The document's graph; kept, since an operation opens its page more than once."""
    try:
        roots = compose_json(text) if is_json else [r for r in compose(text) if not is_null(r.node)]
    except ComposeError as error:
        raise EditRefused(f"the edited text cannot be read: {error}") from error
    if len(roots) != 1:
        raise EditRefused("the edited text is no longer one document")
    return roots[0].node


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: `node` under `index` of `parent` (an index into its pairs or items); `key` for mappings.

    `merged` says whether a `<<` brought the entry in: then `parent` is the merged mapping.
    """

    parent: Mapping | Sequence
    index: int
    key: Node | None
    node: Node
    merged: bool


@dataclass(frozen=True, slots=True)
class Trail:
    """The steps that exist along a path; `container` is the node they lead to, its alias followed where the path goes on."""

    steps: tuple[Step, ...]
    container: Node
    alias_at: int | None
    """The number of steps up to the first alias that the path goes through; None where there is none."""

    @property
    def merge_at(self) -> int | None:
        """The number of steps up to and including the first that a merge key brought in."""
        return next((i + 1 for i, step in enumerate(self.steps) if step.merged), None)


def follow(page: Page, path: Path) -> Trail:
    """As far as a path leads."""
    node, alias_at = page.root, None
    steps: list[Step] = []
    for number, token in enumerate(path):
        if isinstance(node, Alias):
            alias_at = number if alias_at is None else alias_at
            node = node.target
        step = _step(node, token)
        if step is None:
            break
        steps.append(step)
        node = step.node
    return Trail(tuple(steps), node, alias_at)


def _step(node: Node, token: str) -> Step | None:
    if isinstance(node, Sequence):
        if not token.isdigit() or int(token) >= len(node.items):
            return None
        return Step(node, int(token), None, node.items[int(token)], merged=False)
    if not isinstance(node, Mapping):
        return None
    for index, (key, value) in enumerate(node.pairs):
        if not is_merge(key) and key_name(key) == token:
            return Step(node, index, key, value, merged=False)
    return next((replace(s, merged=True) for source in merge_sources(node) if (s := _step(source, token)) is not None), None)


def alias_targets(root: Node, without: Node | None = None) -> set[int]:
    """The ids of all nodes that aliases stand for, those aliases left out that are written below `without`."""
    left_out = {id(node) for node in walk(without)} if without is not None else set()
    return {id(node.target) for node in walk(root) if isinstance(node, Alias) and id(node) not in left_out}
