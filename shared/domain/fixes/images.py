"""Images: the registry part by a Decision, the rest never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import KEEP, AsDecided, CannotConvert, Conversion, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.image_names import ImageName
from shared.domain.model import Question
from shared.domain.needs import AzureResource
from shared.domain.pointer import get
from shared.domain.rulebook import Closed


@fix("image-registry", Nothing)
def image_registry(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Move an image to the registry that a Decision or the target names for its old registry; else ask once per registry.

    An answer for the image itself, under the name that it has here, comes first: it is not asked for again under its new name.
    """
    image = get(obj, found.path)
    registry = image.partition("/")[0]
    named = facts.decision(decision_key("images", image))
    image = named if isinstance(named, str) and named not in ("", KEEP) else image
    if image.partition("/")[0] != registry:
        return Conversion((Op("replace", found.path, image),))
    rest = image.partition("/")[2]
    answer = facts.decision(decision_key("registries", registry)) or facts.typed_target.registries.get(registry)
    if not isinstance(answer, str) or not answer:
        question = Question(
            decision_key("registries", registry), f"Which registry do the images of {registry} come from on AKS?", "myregistry.azurecr.io"
        )
        raise CannotConvert("The registry map has no answer for this registry.", question, found.path)
    new = f"{answer.rstrip('/')}/{rest}"
    name = answer.split("/")[0].removesuffix(".azurecr.io")
    resource = AzureResource(
        "Container image", new, f"copy of {image}", f"az acr import --name {name} --source {image} --image {new.partition('/')[2]}"
    )
    return Conversion((Op("replace", found.path, new),), resources=(resource,))


@fix("image-pin", Nothing)
def image_pin(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """Write the reference that a Decision gives for this image; a tag is never guessed, so without one it asks."""
    image = get(obj, found.path)
    answer = facts.decision(decision_key("images", image))
    if not isinstance(answer, str) or not answer:
        question = Question(decision_key("images", image), f"Which tag or digest of {image} runs today?", _sample(image))
        raise CannotConvert("A tag is never guessed: only the running cluster knows which one it is.", question, found.path)
    if answer == KEEP:
        raise AsDecided("The answer leaves it as it is.", path=found.path)
    return Conversion((Op("replace", found.path, answer),))


@fix("image-untag", Nothing)
def image_untag(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Take the tag from a reference that has a digest as well: the digest alone names the same image."""
    name = ImageName.parse(get(obj, found.path))
    if name is None or not name.digest:
        raise CannotConvert("The image has no digest.", path=found.path)
    return Conversion((Op("replace", found.path, f"{name.name}@{name.digest}"),))


def _sample(image: str) -> str:
    """What an answer looks like: the version in the place of `latest`, what follows it kept (`nginx:1.2.3-alpine`)."""
    named = re.sub(r":latest\b", ":1.2.3", image)
    return named if named != image else f"{image.removesuffix(':')}:1.2.3"


@fix("image-published", Nothing)
def image_published(obj: Mapping[str, Any], found: Found, _: Nothing, facts: Facts) -> Conversion:
    """The reference under which a Decision says that the image lies in a registry; where it came from only its builders know."""
    image = get(obj, found.path)
    answer = facts.decision(decision_key("images", image))
    if not isinstance(answer, str) or not answer:
        ask = f"From which registry does AKS pull {image}, which the old nodes had?"
        raise CannotConvert(
            "The name says no registry.", Question(decision_key("images", image), ask, f"myregistry.azurecr.io/{image}"), found.path
        )
    if answer == KEEP:
        raise AsDecided("The answer leaves it as it is.", path=found.path)
    return Conversion((Op("replace", found.path, answer),))


class PrefixParams(Closed):
    """Old start of an image reference -> new start; the longest that matches counts."""

    prefixes: dict[str, str]


@fix("image-prefix", PrefixParams)
def image_prefix(obj: Mapping[str, Any], found: Found, params: PrefixParams, _: Facts) -> Conversion:
    """The same image under the name that its publisher moved it to."""
    image = get(obj, found.path)
    start = max((p for p in params.prefixes if image.startswith(p)), key=len, default=None)
    if start is None:
        raise CannotConvert("The image is not in the rule's table.", path=found.path)
    return Conversion((Op("replace", found.path, params.prefixes[start] + image.removeprefix(start)),))
