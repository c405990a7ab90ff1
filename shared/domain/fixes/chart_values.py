"""Helm values changed where they lie, and the command that installs a chart without the controller of k3s."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.chart_values import changed, leaves
from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import CannotConvert, Conversion, Loss, Op
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.fixes.basic import RenameParams
from shared.domain.fixes.storage import smb_losses
from shared.domain.model import Question
from shared.domain.pointer import child, get, parent, split

PACKAGED = "%{KUBERNETES_API}%/static/"
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"


@fix("values-set", Nothing)
def values_set(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Write what the check found out to be the counterpart."""
    new = found.fields["new"]
    losses: tuple[Loss, ...] = smb_losses(found.path, new) if new.startswith("azurefile") else ()
    done = changed(obj, [Op("replace", found.path, new)])
    return Conversion(done.operations, losses=losses)


@fix("values-remove", Nothing)
def values_remove(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Take the setting away."""
    return changed(obj, [Op("remove", found.path)])


@fix("values-rename-key", RenameParams)
def values_rename_key(obj: Mapping[str, Any], found: Found, params: RenameParams, _: Facts) -> Conversion:
    """Give a key inside values its new name."""
    old, value = found.fields["field"], found.fields["value"]
    if split(found.path)[-1] != old:
        raise CannotConvert(f"{old} is set by a dotted name; write it with the key {params.keys[old]}.", path=found.path)
    return changed(obj, [Op("add", child(parent(found.path), params.keys[old]), value), Op("remove", found.path)])


@fix("values-load-balancer", Nothing)
def values_load_balancer(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Say internal in the annotations beside the type, where a human decided so; a chart without such values may not read them."""
    key = found.fields["key"]
    if facts.decision(key) != "internal":
        asked = Question(key, f"Is the load balancer of the chart {get(obj, '/metadata/name')} public or internal on AKS?", "internal")
        raise CannotConvert("Only you know who is meant to reach it.", asked, found.path)
    beside = next(leaf.siblings for leaf in leaves(obj) if leaf.path == found.path)
    if not isinstance(beside.get("annotations"), dict):
        raise CannotConvert(
            f'Decided as internal: set {INTERNAL}: "true" where the chart takes annotations of its Service.', path=found.path
        )
    return changed(obj, [Op("add", child(child(parent(found.path), "annotations"), INTERNAL), "true")])


@fix("helm-install", Nothing)
def helm_install(obj: Mapping[str, Any], _: Found, __: Nothing, ___: Facts) -> Conversion:
    """Never converts: the reason it raises is the exact command that does the same on AKS, and what the command leaves out."""
    spec = obj.get("spec")
    chart = spec.get("chart") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(chart, str):
        raise CannotConvert("It names no chart to install; a chart in chartContent must first be decoded to a file.", path="/spec")
    if PACKAGED in chart:
        raise CannotConvert(
            "The chart comes with k3s itself; AKS has its own ingress, DNS and metrics, and nothing to install.", path="/spec/chart"
        )
    raise CannotConvert(
        f"Install it with: {_command(obj, spec, chart)} (or a Flux HelmRelease of the same).{_notes(spec)}", path="/spec/chart"
    )


def _command(obj: Mapping[str, Any], spec: Mapping[str, Any], chart: str) -> str:
    namespace = spec.get("targetNamespace") or "default"
    parts = ["helm", "upgrade", "--install", str(get(obj, "/metadata/name")), chart]
    for flag, field in (("--repo", "repo"), ("--version", "version")):
        parts += [flag, str(spec[field])] if spec.get(field) else []
    parts += ["--namespace", str(namespace), "--create-namespace"]
    parts += ["--values", "values.yaml"] if spec.get("valuesContent") else []
    return shlex.join(parts) + "".join(_set_flags(spec.get("set")))


def _set_flags(given: object) -> Iterator[str]:
    """Names only: a value may be a password."""
    for name, value in given.items() if isinstance(given, dict) else ():
        yield f" {'--set' if isinstance(value, (int, bool)) else '--set-string'} {shlex.quote(str(name))}=..."


def _notes(spec: Mapping[str, Any]) -> str:
    notes = []
    if not spec.get("version"):
        notes.append("No version is named: pin the one that runs today.")
    if spec.get("valuesContent"):
        notes.append("Write spec.valuesContent to values.yaml.")
    if spec.get("helmVersion") == "v2":
        notes.append("The chart is of Helm 2, which Helm 3 may refuse.")
    if str(spec.get("chart")).startswith("stable/") and not spec.get("repo"):
        notes.append("The stable repository is closed: find the chart's new home.")
    if spec.get("failurePolicy", "reinstall") == "reinstall":
        notes.append("k3s deletes and reinstalls a release that fails; helm does not.")
    if spec.get("valuesSecrets") or spec.get("authSecret") or spec.get("repoCA"):
        notes.append("Values and logins that it takes from Secrets become flags of helm.")
    return "".join(f" {n}" for n in notes)
