"""The line of a place in a YAML text, for messages about files that people write."""

from __future__ import annotations

from collections.abc import Sequence

import yaml


def line_of(text: str, place: Sequence[str | int]) -> int:
    """The line (from 1) of the key or item at a place; of the nearest one above it where it is not there."""
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            entry = next(((k, v) for k, v in node.value if k.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            entry = (node.value[step], node.value[step])
        else:
            entry = None
        if entry is None:
            break
        line, node = entry[0].start_mark.line + 1, entry[1]
    return line
