"""Where images come from on AKS: logins that are no longer needed, logins to registries that stayed behind, images that no registry has."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.kustomize_changes import image_entries
from shared.domain.facts import Facts
from shared.domain.image_names import ImageName
from shared.domain.paths import containers, pod_spec
from shared.domain.pointer import get
from shared.domain.rulebook import Closed

ACR = ".azurecr.io"


class LoginParams(Closed):
    """`like`: the rules whose globs of images (`any_of`) say which registries AKS does not reach."""

    like: tuple[str, ...]


class LocalImageParams(Closed):
    """`official`: the names of Docker Hub's official images, which need no registry in front of them."""

    official: frozenset[str]


@check("pull-secret-of-moved-images", Nothing, needs_whole=True)
def pull_secret_of_moved_images(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires once at the pull secrets of pods whose every image the registry map moved to ACR. Fields: `value`, `registry`."""
    place = f"{pod_spec(obj)}/imagePullSecrets"
    secrets = get(obj, place) if pod_spec(obj) is not None else None
    names = [str(s.get("name")) for s in secrets if isinstance(s, dict)] if isinstance(secrets, list) else []
    images = [container.get("image") for _, container in containers(obj)]
    homes = [moved_to(image, facts) for image in images]
    if names and homes and all(homes):
        registries = dict.fromkeys(str(home).removesuffix(ACR) for home in homes)
        yield Found(place, {"value": ", ".join(names), "registry": next(iter(registries))})


def moved_to(image: Any, facts: Facts) -> str | None:
    """The host of the Azure Container Registry in which the registry map puts an image, or has put it already."""
    if not isinstance(image, str) or opaque(image) or "/" not in image:
        return None
    given = facts.setup.decisions.get("registries")
    known = {**facts.typed_target.registries, **(given if isinstance(given, dict) else {})}
    host = image.partition("/")[0]
    answers = {str(answer).partition("/")[0] for answer in known.values()}
    home = host if host in answers else str(known.get(host, "")).partition("/")[0]
    return home if home.endswith(ACR) else None


@check("login-to-old-registry", LoginParams)
def login_to_old_registry(obj: Mapping[str, Any], params: LoginParams, facts: Facts) -> Iterator[Found]:
    """Fires at a Secret with logins to registries, of which AKS reaches none. Nothing of what it holds is told."""
    key = LOGINS.get(str(obj.get("type")))
    hosts = _hosts(obj, key) if key else []
    if not hosts:
        return
    globs = [g for rule in facts.knowledge.rulebook.rules if rule.id in params.like for g in rule.match.params.get("any_of", ())]
    if all(any(fnmatch.fnmatchcase(f"{host}/x", g) for g in globs) for host in hosts):
        yield Found("/type")


LOGINS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
"""The key under which each type of Secret holds the logins (Kubernetes documentation, docker config Secrets)."""


def _hosts(obj: Mapping[str, Any], key: str) -> list[str]:
    plain, encoded = ((obj.get(f) or {}).get(key) if isinstance(obj.get(f), dict) else None for f in ("stringData", "data"))
    try:
        text = plain if isinstance(plain, str) else base64.b64decode(encoded or "").decode()
        logins = json.loads(text)
    except (TypeError, ValueError, binascii.Error, RecursionError):
        return []
    logins = logins.get("auths") if isinstance(logins, dict) and key.endswith("json") else logins
    return [str(url).partition("://")[2] or str(url) for url in logins] if isinstance(logins, dict) else []


@check("image-of-the-old-nodes", LocalImageParams)
def image_of_the_old_nodes(obj: Mapping[str, Any], params: LocalImageParams, facts: Facts) -> Iterator[Found]:
    """Fires at an image with a version but no registry, unknown to Docker Hub's official ones, that a node may have already.

    Images without a version, and those that a kustomization names anew, have rules of their own.
    """
    for path, container in containers(obj):
        image = container.get("image")
        name = ImageName.parse(image) if isinstance(image, str) and not opaque(image) else None
        if (
            name is None
            or container.get("imagePullPolicy") not in ("IfNotPresent", "Never")
            or "/" in name.name
            or name.name in params.official
        ):
            continue
        if (name.tag not in (None, "latest") or name.digest) and name.name not in _renamed(facts):
            yield Found(f"{path}/image", {"value": str(image)})


def _renamed(facts: Facts) -> set[str]:
    found = (entry for content in facts.setup.index["kustomizations"].values() for _, entry in image_entries(content))
    return {entry["name"] for entry in found if isinstance(entry.get("newName"), str)}
