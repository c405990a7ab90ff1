"""Chart templates are never edited: what they would render wrongly is traced to the key of values.yaml that says it.

Only what can be told exactly: a field whose whole value is one `{{ .Values.some.key }}` (quoted, or with a default), in a template of a
chart whose Chart.yaml and values.yaml are in the run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import yaml

from shared.domain.checks.cluster import ingress_class_exists
from shared.domain.facts import Facts
from shared.domain.pointer import get, join
from shared.domain.storage_classes import class_exists, names_a_volume
from shared.domain.yaml_lines import line_of

VALUE = re.compile(
    r"""^[ \t-]*(storageClassName|ingressClassName|loadBalancerIP):[ \t]*["']?\{\{-?[ \t]*\.Values\.([\w.]+)[ \t]*"""
    r"""(?:\|[ \t]*(?:quote|default[ \t]+\S+)[ \t]*)*-?\}\}["']?[ \t]*$""",
    re.MULTILINE,
)
MAX_BYTES = 256 * 1024
"""Larger templates and values files are not looked into."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A key of a values file (`path` is its pointer, `line` counts from 1) and what is wrong with what it says."""

    file: str
    path: str
    line: int
    message: str


def traced(paths: Iterable[str], read: Callable[[str], bytes | None], facts: Facts) -> Iterator[Traced]:
    """What the templates of the run's charts take from their values files and AKS does not have; each key once."""
    known = sorted(paths)
    for chart in (posixpath.dirname(p) for p in known if posixpath.basename(p) == "Chart.yaml"):
        values = posixpath.join(chart, "values.yaml")
        inside = posixpath.join(chart, "templates") + "/"
        uses = [(p, *use) for p in known if p.startswith(inside) for use in VALUE.findall(_text(read(p)))]
        yield from _of_chart(values, uses, _text(read(values)) if values in known and uses else "", facts)


def _of_chart(values: str, uses: list[tuple[str, str, str]], text: str, facts: Facts) -> Iterator[Traced]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    seen: set[tuple[str, str]] = set()
    for template, field, key in uses:
        steps = key.split(".")
        value = get(content, join(steps))
        problem = _problem(field, value, facts) if isinstance(value, str) and value else None
        if problem and (field, key) not in seen:
            seen.add((field, key))
            said = f"{key} becomes the {field} of {posixpath.relpath(template, posixpath.dirname(values) or '.')}: {problem}"
            yield Traced(values, join(steps), line_of(text, steps), said)


def _problem(field: str, value: str, facts: Facts) -> str | None:
    if field == "storageClassName":
        return None if class_exists(value, facts) or names_a_volume(value, facts) else f"storage class {value} does not exist on AKS."
    if field == "ingressClassName":
        return None if ingress_class_exists(value, facts) else f"ingress class {value} does not exist on AKS."
    return f"the address {value} belongs to the old network."


def _text(data: bytes | None) -> str:
    return "" if data is None or len(data) > MAX_BYTES else data.decode("utf-8", "replace")
