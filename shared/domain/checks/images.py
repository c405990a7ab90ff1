"""What the text of an image reference says: its tag."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.checks.base import Found, check, opaque
from shared.domain.checks.cluster import Nothing
from shared.domain.facts import Facts
from shared.domain.paths import containers

REFERENCE = re.compile(r"(?P<name>[^\s@<>]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?P<digest>@[\w.+-]+:[0-9a-fA-F]+)?")
"""distribution/reference grammar, loosely: name, optional tag, optional digest."""


@check("image-tag", Nothing)
def image_tag(obj: Mapping[str, Any], _: Nothing, __: Facts) -> Iterator[Found]:
    """Fires at an image without a tag, or with `latest`, and without a digest. Registry ports are not tags.

    The images of a DeploymentConfig are its conversion's: triggers fill them in, and what is left is looked at in the Deployment.
    """
    if obj.get("kind") == "DeploymentConfig":
        return
    for path, container in containers(obj):
        image = container.get("image")
        if not isinstance(image, str) or opaque(image):
            continue
        match = REFERENCE.fullmatch(image)
        if match and not match["digest"] and match["tag"] in (None, "latest"):
            yield Found(f"{path}/image", {"value": image})
