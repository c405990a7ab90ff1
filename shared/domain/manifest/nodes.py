"""The node graph of a document: what stands where in the text. Positions are character indices into the text it was read from.

Unlike PyYAML's own graph it keeps aliases as nodes of their own (`*name` has a place in the text), and it is the
same for YAML and JSON, so that positions and edits need one way only.
"""

from __future__ import annotations

from collections.abc import Iterator


class Node:
    """A value in the text; `start` is where its anchor or tag begins, else its first character."""

    __slots__ = ("anchor", "end", "start", "tag")

    def __init__(self, start: int, end: int, tag: str | None, anchor: str | None) -> None:
        self.start, self.end, self.tag, self.anchor = start, end, tag, anchor


class Scalar(Node):
    """A scalar. `text` is its content with escapes and line folds undone; `style` is None (plain) or one of ' " | >."""

    __slots__ = ("style", "text")

    def __init__(self, start: int, end: int, tag: str | None, anchor: str | None, text: str, style: str | None) -> None:
        super().__init__(start, end, tag, anchor)
        self.text, self.style = text, style


class Mapping(Node):
    """A mapping; `flow` for the form with braces. A block mapping's `end` lies past the comments below it: see `tail`."""

    __slots__ = ("flow", "pairs")

    def __init__(self, start: int, end: int, tag: str | None, anchor: str | None, flow: bool) -> None:  # noqa: FBT001
        super().__init__(start, end, tag, anchor)
        self.flow = flow
        self.pairs: list[tuple[Node, Node]] = []


class Sequence(Node):
    """A sequence; `flow` for the form with brackets."""

    __slots__ = ("flow", "items")

    def __init__(self, start: int, end: int, tag: str | None, anchor: str | None, flow: bool) -> None:  # noqa: FBT001
        super().__init__(start, end, tag, anchor)
        self.flow = flow
        self.items: list[Node] = []


class Alias(Node):
    """`*name` where it stands; `target` is the anchored node."""

    __slots__ = ("target",)

    def __init__(self, start: int, end: int, target: Node) -> None:
        super().__init__(start, end, None, None)
        self.target = target


class Root:
    """One document of a stream: `start` is its `---` or first character; `explicit` says which."""

    __slots__ = ("explicit", "node", "start")

    def __init__(self, node: Node, start: int, explicit: bool) -> None:  # noqa: FBT001
        self.node, self.start, self.explicit = node, start, explicit


def resolved(node: Node) -> Node:
    """The node that an alias stands for; any other node itself."""
    return node.target if isinstance(node, Alias) else node


def last_leaf(node: Node) -> Node:
    """The node that ends last below a node: itself where it is a scalar, an alias, empty, or of flow style."""
    while isinstance(node, Mapping | Sequence) and not node.flow:
        inner = node.pairs[-1][1] if isinstance(node, Mapping) and node.pairs else None
        inner = node.items[-1] if isinstance(node, Sequence) and node.items else inner
        if inner is None:
            break
        node = inner
    return node


def tail(node: Node) -> int:
    """Where the last character of a node stands."""
    return last_leaf(node).end


def children(node: Node) -> Iterator[Node]:
    """Keys, values and items directly below a node, in the order of the text."""
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            yield key
            yield value
    elif isinstance(node, Sequence):
        yield from node.items


def walk(node: Node) -> Iterator[Node]:
    """A node and everything written below it (aliases are not followed)."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))
