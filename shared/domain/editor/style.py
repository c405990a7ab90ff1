"""How a file is written: the steps of its indentation, so that new text looks like the old."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field

from shared.domain.editor.splices import column, eol_at
from shared.domain.manifest import Document
from shared.domain.manifest.nodes import Mapping, Node, Scalar, Sequence, walk

_JSON_UNIT = re.compile(r"[{\[]\r?\n([ \t]+)")


@dataclass(frozen=True, slots=True)
class Style:
    """`step`: columns from a key to the keys below it; `dash`: columns from a key to the dashes below it (0: indentless).

    `unit` is one level of indentation in JSON text, None where it stands on one line; `colon` and `comma` are JSON's separators.
    """

    step: int = 2
    dash: int = 0
    unit: str | None = None
    colon: str = ": "
    comma: str = ", "
    eol: str = "\n"
    """The line end where a text has none to go by."""
    quotes: MappingOf[str, str] = field(default_factory=dict)
    """The quotes of texts with variables (`"${PORT}"`): what is put in their place may be a number, and must stay a text."""


def style_of(text: str, documents: tuple[Document, ...]) -> Style:
    """What is most common in a file."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    quotes: dict[str, str] = {}
    for document in documents:
        for node in walk(document.root.node):
            if isinstance(node, Mapping) and not node.flow:
                _count(text, node, steps, dashes)
            elif isinstance(node, Scalar) and node.style in ('"', "'") and "{" in node.text:
                quotes.setdefault(node.text, node.style)
    unit = _JSON_UNIT.search(text)
    return Style(
        _most(steps, 2),
        _most(dashes, 0),
        unit[1] if unit else None,
        ":" if unit is None and '":"' in text and '": ' not in text else ": ",
        "," if unit is None and '","' in text and ", " not in text else ", ",
        eol_at(text, 0, "\n"),
        quotes,
    )


def _count(text: str, node: Mapping, steps: Counter[int], dashes: Counter[int]) -> None:
    for key, value in node.pairs:
        if isinstance(value, Mapping) and not value.flow and value.pairs:
            steps[column(text, value.pairs[0][0].start) - column(text, key.start)] += 1
        elif isinstance(value, Sequence) and not value.flow and value.anchor is None and value.tag is None:
            dashes[column(text, value.start) - column(text, key.start)] += 1


def _most(counter: Counter[int], default: int) -> int:
    usual = {width: count for width, count in counter.items() if 0 <= width <= 8}
    return max(usual, key=lambda width: usual[width]) if usual else default


def is_json_like(root: Node) -> bool:
    """Whether a document is written as JSON, be it in a YAML file."""
    if isinstance(root, Mapping) and root.flow:
        return all(isinstance(key, Scalar) and key.style == '"' for key, _ in root.pairs)
    return False
