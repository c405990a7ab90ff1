"""Probes: only those that a human decided, by one answer for each container (`probes.<workload>/<container>`)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.safeguards import PROBE_TYPES, PROBES
from shared.domain.convert.base import AsDecided, CannotConvert, Conversion, Op, decision_key
from shared.domain.decisions import FILE_NAME as DECISIONS
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question
from shared.domain.paths import workload_name
from shared.domain.pointer import child, get, parent, split

NONE = "none"
"""The answer that the container stays without."""

EXAMPLE = "http:8080/healthz"
HTTP = re.compile(r"(https?):([\w-]+)(/\S*)?")
TCP = re.compile(r"tcp:([\w-]+)")
OTHERS = "tcp:5432, exec:pg_isready, none"

Probe = dict[str, Any]


@fix("probes", Nothing)
def probes(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Add the missing probes of the Decision. Without one it asks, where AKS would deny the pod; where AKS only warns, it does not."""
    name, container = workload_name(obj), found.fields["container"]
    key = decision_key("probes", f"{name}/{container}")
    answer = facts.decision(key)
    denied = facts.enforcement.safeguards == "enforce" and not facts.enforcement.automatic
    if answer == NONE and denied:
        raise CannotConvert("Left without a probe, as decided: AKS denies the pod all the same.", path=found.path)
    if answer == NONE:
        raise AsDecided("Left without a probe, as decided.", path=found.path)
    place = found.path if split(found.path)[-1] not in PROBES else parent(found.path)
    missing = [probe for probe in PROBES if not _there(get(obj, child(place, probe)))]
    decided = parse(answer) if isinstance(answer, str) else None
    if decided is None or any(probe not in decided for probe in missing):
        asked = f"How is container {container} of {name} probed? (Or: {OTHERS}.)"
        question = Question(key, asked, EXAMPLE) if denied or answer else None
        raise CannotConvert(_unknown(key, [get(obj, child(place, probe)) for probe in missing]), question, found.path)
    present = get(obj, place)
    return Conversion(tuple(Op("replace" if p in present else "add", child(place, p), decided[p]) for p in missing))


def _unknown(key: str, present: list[object]) -> str:
    """Why no probe is written, and where the answer goes; `present` are probes that do not count."""
    if any(isinstance(probe, dict) and probe.get("grpc") is not None for probe in present):
        return f"The grpc probe works on AKS: answer {key} in {DECISIONS} with another kind ({EXAMPLE}), or `{NONE}` to leave it as it is."
    return f"Only its developers know how it is probed: answer {key} in {DECISIONS} ({EXAMPLE}, or `{NONE}`)."


def _there(probe: object) -> bool:
    return isinstance(probe, dict) and any(probe.get(kind) is not None for kind in PROBE_TYPES)


def parse(answer: str) -> dict[str, Probe] | None:
    """The probes of an answer by their field; one probe alone is both. None where it cannot be read."""
    parts = [part.strip() for part in answer.split(";")] if "=" in answer.split(":", maxsplit=1)[0] else []
    named = {f"{key.strip()}Probe": _probe(value.strip()) for key, _, value in (part.partition("=") for part in parts)}
    found = named or dict.fromkeys(PROBES, _probe(answer.strip()))
    return {k: dict(v) for k, v in found.items() if v} if set(found) <= set(PROBES) and all(found.values()) else None


def _probe(text: str) -> Probe | None:
    http, tcp = HTTP.fullmatch(text), TCP.fullmatch(text)
    if http:
        scheme = {"scheme": "HTTPS"} if http[1] == "https" else {}
        return {"httpGet": {"path": http[3] or "/", "port": _port(http[2]), **scheme}}
    if tcp:
        return {"tcpSocket": {"port": _port(tcp[1])}}
    if text.startswith("exec:"):
        return _command(text.removeprefix("exec:"))
    return None


def _command(text: str) -> Probe | None:
    try:
        command = shlex.split(text)
    except ValueError:
        return None
    return {"exec": {"command": command}} if command else None


def _port(text: str) -> int | str:
    return int(text) if text.isdigit() else text
