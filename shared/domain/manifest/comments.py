"""Does a document hold comments? What rewrites a whole document has to say that it loses them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.manifest.document import Document
from shared.domain.manifest.nodes import Mapping, Node, Scalar, Sequence

_COMMENT = re.compile(r"(?:^|\s)#")


def has_comment(document: Document) -> bool:
    """Whether a `#` starts a comment anywhere in the document's own text: a `#` inside a scalar starts none."""
    at, end = document.span
    for start, stop in sorted(_scalars(document.root.node)):
        if _COMMENT.search(document.text[at:start]):
            return True
        at = max(at, stop)
    return _COMMENT.search(document.text[at:end]) is not None


def _scalars(node: Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, Scalar):
        yield node.start, node.end
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            yield from (*_scalars(key), *_scalars(value))
