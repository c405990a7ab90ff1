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
    for path, container in containers(obj):
        image = container.get("image")
        if not isinstance(image, str) or opaque(image) or str(container.get("name")) in filled:
            continue
        name = ImageName.parse(image)
        if name and not name.digest and _floats(name.tag) and not facts.kustomizations.versioned(name.name):
            yield Found(f"{path}/image", {"value": image, "container": str(container.get("name"))})


def _filled_in(obj: Mapping[str, Any]) -> set[str]:
    """The containers of a DeploymentConfig whose images its triggers fill in."""
    triggers = get(obj, "/spec/triggers") if obj.get("kind") == "DeploymentConfig" else None
    named = [get(t, "/imageChangeParams/containerNames") for t in triggers if isinstance(t, dict)] if isinstance(triggers, list) else []
    return {name for names in named if isinstance(names, list) for name in names if isinstance(name, str)}


def _floats(tag: str | None) -> bool:
    """Whether a tag follows the newest version: none, `latest`, and `latest-alpine` (the safeguard's pattern is `:latest?\\b`)."""
    return tag is None or re.match(r"latest\b", tag) is not None
