"""The part of resources.md that no manifest can do: every claim whose data must be copied, and what a StatefulSet's claims hold back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.model import FileOutcome
from shared.domain.pointer import get
from shared.domain.report.escape import code_block, inline
from shared.domain.run import RunSetup

TEMPLATES = "/spec/volumeClaimTemplates"
HEAD = (
    "## Data to copy", "",
    "Nothing here moves data: every claim starts empty on AKS. Stop what writes, copy each claim, then let the traffic move. The",
    "commands copy through a pod that mounts the claim on either side, with tar in its image; OLD and AKS are kubectl contexts.", "",
)  # fmt: skip
IMMUTABLE = (
    "a cluster refuses every change of volumeClaimTemplates. On a new cluster nothing stands in the way. Where the set exists already, "
    "the old cluster included if it reads these files, delete it with `kubectl delete statefulset {name} --cascade=orphan` before it "
    "is applied again; claims that exist keep their class."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the application by the name that it has in the cluster."""

    name: str
    namespace: str | None
    file: str


def data_copy(setup: RunSetup, outcomes: Iterable[FileOutcome]) -> list[str]:
    """The section's lines; none where the application keeps no data in claims."""
    entries = setup.index.get("objects", ())
    claims = sorted({c for e in entries for c in _claims(e)}, key=lambda c: (c.file, c.namespace or "", c.name))
    if not claims:
        return []
    lines = list(HEAD)
    for claim in claims:
        place = f" -n {claim.namespace}" if claim.namespace else ""
        lines += [f"- {inline(claim.name)} ({inline(claim.file)})", "", *code_block(_command(place), "sh"), ""]
    by_path = {o.path: o for o in outcomes}
    for entry in entries:
        if _changed(entry, by_path.get(entry["file"])):
            name = inline(str(get(entry["object"], "/metadata/name")))
            lines += [f"StatefulSet {name}: {IMMUTABLE.format(name=name)}", ""]
    return lines


def _claims(entry: Mapping[str, Any]) -> Iterator[Claim]:
    """A PersistentVolumeClaim, or those that a StatefulSet makes: `<template>-<set>-<number>`."""
    obj = entry["object"]
    name, space = get(obj, "/metadata/name"), get(obj, "/metadata/namespace")
    place = space if isinstance(space, str) else None
    if isinstance(name, str) and obj["kind"] == "PersistentVolumeClaim":
        yield Claim(name, place, entry["file"])
    templates = get(obj, TEMPLATES)
    for template in templates if isinstance(name, str) and isinstance(templates, list) else ():
        own = get(template, "/metadata/name")
        if isinstance(own, str):
            yield Claim(f"{own}-{name}-0, -1, ...", place, entry["file"])


def _command(place: str) -> str:
    old = f"kubectl --context OLD{place} exec POD -- tar -C MOUNTPATH -cf - ."
    return f"{old} | kubectl --context AKS{place} exec -i POD -- tar -C MOUNTPATH -xf -"


def _changed(entry: Mapping[str, Any], outcome: FileOutcome | None) -> bool:
    """Whether the run changed the claim templates of this StatefulSet."""
    start = f"{entry['base']}{TEMPLATES}/"
    return outcome is not None and any(
        v.document == entry["document"] and v.path.startswith(start) and v.resolution == "fixed" for v in outcome.violations
    )
