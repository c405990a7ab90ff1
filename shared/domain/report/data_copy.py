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

    namespace: str
    name: str


def data_copy(setup: RunSetup, outcomes: Iterable[FileOutcome]) -> list[str]:
    """The section's lines; none where the application keeps no data in claims."""
    entries = setup.index.get("objects", ())
    files: dict[Claim, set[str]] = {}
    for entry in entries:
        for claim in _claims(entry):
            files.setdefault(claim, set()).add(entry["file"])
    if not files:
        return []
    lines = list(HEAD)
    for claim, paths in sorted(files.items(), key=lambda row: (min(row[1]), row[0].namespace, row[0].name)):
        place = f" -n {claim.namespace}" if claim.namespace else ""
        lines += [f"- {inline(claim.name)} ({inline(', '.join(sorted(paths)))})", "", *code_block(_command(place), "sh"), ""]
    by_path = {o.path: o for o in outcomes}
    changed = [str(get(entry["object"], "/metadata/name")) for entry in entries if _changed(entry, by_path.get(entry["file"]))]
    for name in map(inline, dict.fromkeys(changed)):
        lines += [f"StatefulSet {name}: {IMMUTABLE.format(name=name)}", ""]
    return lines


def _claims(entry: Mapping[str, Any]) -> Iterator[Claim]:
    """A PersistentVolumeClaim, or those that a StatefulSet makes: `<template>-<set>-<number>`."""
    obj = entry["object"]
    name, space = get(obj, "/metadata/name"), get(obj, "/metadata/namespace")
    place = space if isinstance(space, str) else ""
    if isinstance(name, str) and obj["kind"] == "PersistentVolumeClaim":
        yield Claim(place, name)
    templates = get(obj, TEMPLATES)
    for template in templates if isinstance(name, str) and isinstance(templates, list) else ():
        own = get(template, "/metadata/name")
        if isinstance(own, str):
            yield Claim(place, f"{own}-{name}-0, -1, ...")


def _command(place: str) -> str:
    old = f"kubectl --context OLD{place} exec POD -- tar -C MOUNTPATH -cf - ."
    return f"{old} | kubectl --context AKS{place} exec -i POD -- tar -C MOUNTPATH -xf -"


def _changed(entry: Mapping[str, Any], outcome: FileOutcome | None) -> bool:
    """Whether the run changed the claim templates of this StatefulSet."""
    start = f"{entry['base']}{TEMPLATES}/"
    return outcome is not None and any(
        v.document == entry["document"] and v.path.startswith(start) and v.resolution == "fixed" for v in outcome.violations
    )
