"""Which environment do these manifests come from? Weighs the features of the index against the profiles, and says why."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import ValidationError
from shared.domain.model import SourceFinding
from shared.domain.target import Profile

EVIDENCE_SHOWN = 5
GENERIC = "generic"


def detect_source(features: Mapping[str, Mapping[str, Any]], known: Mapping[str, Profile]) -> SourceFinding:
    """The profile with the most weight (each matched pattern counts its weight times the files, at most 10), or generic."""
    scored = [(score, profile.name, evidence) for profile in known.values() for score, evidence in [_score(profile, features)] if score]
    if not scored:
        return SourceFinding(GENERIC, ("nothing that only one distribution has",))
    _, name, evidence = max(scored, key=lambda s: (s[0], s[1]))
    return SourceFinding(name, tuple(evidence[:EVIDENCE_SHOWN]))


def _score(profile: Profile, features: Mapping[str, Mapping[str, Any]]) -> tuple[int, list[str]]:
    total, evidence = 0, []
    for pattern, weight in profile.features.items():
        found = [f for f in features if fnmatch.fnmatchcase(f, pattern)]
        if found:
            files = max(features[f]["files"] for f in found)
            total += weight * min(files, 10)
            first = max(found, key=lambda f: (features[f]["files"], f))
            family, _, value = first.partition(":")
            evidence.append(
                (weight * files, f"{family} {value} in {features[first]['first']}" + (f" and {files - 1} more" if files > 1 else ""))
            )
    return total, [text for _, text in sorted(evidence, key=lambda e: (-e[0], e[1]))]


def choose_source(
    wanted: str, recorded: str | None, features: Mapping[str, Mapping[str, Any]], known: Mapping[str, Profile]
) -> SourceFinding:
    """The user's choice, else what .aks-copilot.yaml recorded, else what is detected. Raises ValidationError for an unknown name."""
    if wanted != "auto":
        return SourceFinding(_known(wanted, known), ("named by the user",))
    if recorded is not None:
        return SourceFinding(_known(recorded, known), ("recorded in .aks-copilot.yaml",))
    return detect_source(features, known)


def _known(name: str, known: Mapping[str, Profile]) -> str:
    if name not in known:
        raise ValidationError(f"unknown source {name!r}; known: auto, {', '.join(sorted(known))}")
    return name
