"""What the text of an image reference says: its tag."""

from __future__ import annotations

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
    """Fires at an image without a tag, or with `latest`, and without a digest. Registry ports are not tags.

    A kustomization of the run that says the version in its `images` is asked in the image's place.
    Image triggers of a DeploymentConfig fill its images in: what its conversion leaves is looked at in the Deployment.
    """
    triggers = get(obj, "/spec/triggers") if obj.get("kind") == "DeploymentConfig" else None
    if isinstance(triggers, list) and any(isinstance(t, dict) and t.get("type") == "ImageChange" for t in triggers):
        return
    for path, container in containers(obj):
        image = container.get("image")
        if not isinstance(image, str) or opaque(image):
            continue
        name = ImageName.parse(image)
        if name and not name.digest and name.tag in (None, "latest") and not facts.kustomizations.versioned(name.name):
            yield Found(f"{path}/image", {"value": image, "container": str(container.get("name"))})
