"""The step that copies the images which the run names in another registry: inside Azure where it can read them, else from your own machine.

Sources: learn.microsoft.com/azure/container-registry/container-registry-import-images (the source must be reachable from the registry's
own network), github.com/containers/skopeo (`copy --all` takes every architecture).
"""

from __future__ import annotations

import ipaddress
import itertools
import shlex
from collections.abc import Iterator

from shared.domain.report.credentials import redact
from shared.domain.report.cutover_move import Move
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.resources import azure_resources

IMAGE = "Container image"
LOCAL = (".local", ".lan", ".internal", ".svc", ".home", ".corp", ".localdomain", ".intern", ".home.arpa", ".test")
"""Endings of names that no public DNS answers."""


def images(move: Move) -> Iterator[Step]:
    """One command for each image that moves; none where all stay."""
    commands = list(dict.fromkeys(r.command for r, _ in azure_resources(move.outcomes) if r.kind == IMAGE))
    inside = [c for c in commands if not is_private(_option(c, "--source"))]
    outside = [c for c in commands if c not in inside]
    lines: list[str] = []
    if inside:
        lines += [
            "Azure copies them itself (`--username` and `--password` where the source wants a login):",
            "",
            *fenced(*map(redact, inside)),
        ]
    if outside:
        lines += ["Azure cannot reach these registries: copy from a machine that reaches both. A registry that speaks plain HTTP needs"]
        lines += ["`--src-tls-verify=false`; leave out the login that it does not ask for.", ""]
        lines += fenced(*_logins(outside), *map(_copied, outside))
    if lines:
        yield Step("images", "Copy the images", lines)


def is_private(image: str) -> bool:
    """Whether the registry of an image has an address that only its own network knows."""
    host = image.partition("/")[0].partition(":")[0].lower()
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(LOCAL)


def _logins(commands: list[str]) -> list[str]:
    old = [f"skopeo login {shlex.quote(_option(c, '--source').partition('/')[0])}" for c in commands]
    return list(dict.fromkeys([*old, *(f"az acr login --name {shlex.quote(_option(c, '--name'))}" for c in commands)]))


def _copied(command: str) -> str:
    source, name = _option(command, "--source"), _option(command, "--name")
    place = _option(command, "--image") or f"{_option(command, '--repository')}@{source.partition('@')[2]}"
    return f"skopeo copy --all {shlex.quote(f'docker://{source}')} {shlex.quote(f'docker://{name}.azurecr.io/{place}')}"


def _option(command: str, flag: str) -> str:
    """The value of a flag of one of our own `az` lines; "" where it has none."""
    words = shlex.split(command)
    return next((value for word, value in itertools.pairwise(words) if word == flag), "")
