"""The objects of a run at one moment, and how far a reference must reach to meet one.

A name may stand in many applications of one tree: it matters not only that something answers, but that nothing nearer did before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.domain.convert.deployment_config import CONTROLLER_LABEL
from shared.domain.nearness import Nearby, Placed
from shared.domain.pointer import get
from shared.domain.references import PODS, SERVICES, Reference, space


class Population:
    """The objects that references may meet, trimmed as the index keeps them."""

    def __init__(self, objects: Iterable[Placed]) -> None:
        self._named: dict[tuple[str, str], list[Placed]] = defaultdict(list)
        self._labelled: dict[tuple[str, str, str], list[Placed]] = defaultdict(list)
        self._answering: dict[Hashable, Nearby] = {}
        for file, obj in objects:
            name = get(obj, "/metadata/name")
            if isinstance(name, str):
                self._named[obj["kind"], name].append((file, obj))
            for kind in (PODS, SERVICES):
                for key, value in _labels(kind, obj).items():
                    if isinstance(value, str):
                        self._labelled[kind, key, value].append((file, obj))

    def reach(self, reference: Reference, file: str) -> int | None:
        """The distance from a file to the nearest that answers wholly, with the part that is named; None where nothing does."""
        return self._that_answer(reference).distance(file)

    def nearest(self, reference: Reference, file: str) -> Sequence[Placed]:
        """Those that answer at that distance."""
        return self._that_answer(reference).nearest(file)

    def _that_answer(self, reference: Reference) -> Nearby:
        key = (reference.kind, reference.namespace, reference.name, reference.part, reference.labels)
        if key not in self._answering:
            self._answering[key] = Nearby(placed for placed in self.of_name(reference) if _has(placed[1], reference.part))
        return self._answering[key]

    def of_name(self, reference: Reference) -> Iterator[Placed]:
        """All that a reference may mean; a namespace that is left out meets any."""
        if reference.labels:
            wanted = dict(reference.labels).items()
            some = self._labelled.get((reference.kind, *reference.labels[0]), ())
            found = [(file, obj) for file, obj in some if wanted <= _labels(reference.kind, obj).items()]
        else:
            found = self._named.get((reference.kind, reference.name), [])
        return ((file, obj) for file, obj in found if reference.namespace == space(obj) or None in (reference.namespace, space(obj)))


def _labels(kind: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The labels that a selector of this kind sees: those of an object's pods (OpenShift adds one), or those of a Service."""
    found = obj["pod"]["labels"] if kind == PODS and "pod" in obj else None
    if found is not None and obj["kind"] == "DeploymentConfig":
        return {CONTROLLER_LABEL: get(obj, "/metadata/name"), **found}
    if kind == SERVICES and obj["kind"] == "Service":
        found = get(obj, "/metadata/labels")
    return found if isinstance(found, dict) else {}


def _has(obj: Mapping[str, Any], part: int | str | None) -> bool:
    """Whether an object has the port, key or listener that is named; True where that cannot be told."""
    if part is None:
        return True
    if obj["kind"] in ("ConfigMap", "Secret"):
        return "keys" not in obj or part in obj["keys"]
    listed = get(obj, "/spec/ports" if obj["kind"] == "Service" else "/spec/listeners")
    if not isinstance(listed, list) or not listed or get(obj, "/spec/type") == "ExternalName":
        return True
    known = [item for item in listed if isinstance(item, dict)]
    if obj["kind"] == "Gateway":
        return any(item.get("name") == part for item in known)
    return any(isinstance(p.get("port"), str) or str(part) in (str(p.get("port")), p.get("name")) for p in known)
