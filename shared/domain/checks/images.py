"""What the text of an image reference says: its tag."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.image_names import ImageName
from shared.domain.paths import containers
from shared.domain.pointer import get


@check("image-tag", Nothing)
def image_tag(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at an image without a tag, or with `latest` or a variant of it, and without a digest. Registry ports are not tags.

    A kustomization of the run that says the version in its `images` is asked in the image's place.
    Image triggers of a DeploymentConfig fill in the images of the containers they name: what its conversion leaves there is
    looked at in the Deployment.
    """
    filled = _filled_in(obj)
    for path, container, name in _images(obj):
        if container not in filled and not name.digest and _floats(name.tag) and not facts.kustomizations.versioned(name.name):
            yield Found(f"{path}/image", {"value": str(get(obj, f"{path}/image")), "container": container})


@check("image-tag-beside-digest", Nothing)
def image_tag_beside_digest(obj: Mapping[str, Any], _: Nothing, facts: Facts) -> Iterator[Found]:
    """Fires at `latest` before a digest where safeguards are on: the version is fixed, and the safeguard's pattern finds the tag."""
    for path, container, name in _images(obj) if facts.enforcement.safeguards != "off" else ():
        if name.digest and name.tag and _floats(name.tag) and not facts.kustomizations.versioned(name.name):
            yield Found(f"{path}/image", {"value": f"{name.name}:{name.tag}", "container": container})


def _images(obj: Mapping[str, Any]) -> Iterator[tuple[str, str, ImageName]]:
    """(the container's pointer, its name, its image), but for images that a tool fills in."""
    for path, container in containers(obj):
        image = container.get("image")
        name = ImageName.parse(image) if isinstance(image, str) and not opaque(image) else None
        if name:
            yield path, str(container.get("name")), name


def _filled_in(obj: Mapping[str, Any]) -> set[str]:
    """The containers of a DeploymentConfig whose images its triggers fill in."""
    triggers = get(obj, "/spec/triggers") if obj.get("kind") == "DeploymentConfig" else None
    named = [get(t, "/imageChangeParams/containerNames") for t in triggers if isinstance(t, dict)] if isinstance(triggers, list) else []
    return {name for names in named if isinstance(names, list) for name in names if isinstance(name, str)}


def _floats(tag: str | None) -> bool:
    """Whether a tag follows the newest version: none, `latest`, and `latest-alpine` (the safeguard's pattern is `:latest?\\b`)."""
    return tag is None or re.match(r"latest\b", tag) is not None
