"""The images of a pod template that OpenShift image triggers fill in, resolved to what a plain cluster can pull.

Facts: guide/aks_facts_source.md 2.2. A container's own `image` is meaningless where a trigger names the container: it is kept only where it
says a registry that AKS can reach; else the run's ImageStream or a Decision says which image is meant. Never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from shared.domain.convert.base import KEEP, CannotConvert, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import is_opaque, label_of, namespace_of
from shared.domain.convert.forms import Form, read_form
from shared.domain.model import Question
from shared.domain.needs import AzureResource

INTERNAL_REGISTRY = re.compile(
    r"^(image-registry\.openshift-image-registry\.svc|docker-registry\.default\.svc|default-route-openshift-image-registry\.|docker-registry-default\.|172\.30\.)"
)
SHORT_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?")
ALIAS_LIMIT = 10


class From(Form):
    """`imageChangeParams.from`: an ObjectReference."""

    model_config = Form.model_config | {"extra": "ignore"}
    kind: str = "ImageStreamTag"
    name: str
    namespace: str | None = None


class ImageChange(Form):
    """`imageChangeParams`."""

    automatic: bool | None = None
    container_names: list[str] = Field(default_factory=list)
    from_: From = Field(alias="from")
    last_triggered_image: str | None = None


@dataclass
class Images:
    """The operations on the containers' images, and what must be said about them."""

    operations: list[Op] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    questions: tuple[Question, ...] = ()
    resources: list[AzureResource] = field(default_factory=list)

    def write(self, path: str, container: Mapping[str, Any], image: str, source: str | None = None) -> None:
        """Set a container's image where it is another; `source` is where an ImageStream says it lies: listed for an import."""
        if image != container.get("image"):
            self.operations.append(Op("replace" if "image" in container else "add", f"{path}/image", image))
            self.resources += [imported(image, source)] if source else []


def imported(image: str, source: str) -> AzureResource:
    """The row of resources.md for an image that OpenShift's registry served: the registry near the cluster needs, or can hold, a copy."""
    name = image.partition("/")[2]
    registry = image.partition("/")[0].removesuffix(".azurecr.io") if image != source else "REGISTRY"
    place = f"--repository {name.partition('@')[0]}" if "@" in name else f"--image {name}"
    why = (
        f"copy of {source}"
        if image != source
        else f"{source}: pods pull it from there; answer registries to use a copy in your own registry"
    )
    return AzureResource("Container image", image, why, f"az acr import --name {registry} --source {source} {place}")


def resolve_images(obj: dict[str, Any], triggers: Sequence[Mapping[str, Any]] | None, lookup: Lookup) -> Images:
    """Set every image that cannot stay. Raises CannotConvert with its Question where an image must be asked for."""
    images, managed = Images(), _managed(triggers or ())
    for path, container in _containers(obj["spec"]["template"]["spec"]):
        change = managed.get(str(container.get("name")))
        if change is None:
            images.write(path, container, *_plain(obj, path, container, lookup))
        else:
            images.write(path, container, *_from_trigger(obj, path, container, change, lookup))
        if change is not None:
            how = "" if change.automatic else "manual "
            images.losses.append(Loss(f"{path}/image", f"no {how}rollout by itself any more when {change.from_.name} gets a new image"))
    there = {str(c.get("name")) for _, c in _containers(obj["spec"]["template"]["spec"])}
    missing = [name for name in managed if name not in there]
    images.losses += [
        Loss("/spec/triggers", f"a trigger names container {n}, which the pod does not have: it did nothing") for n in missing
    ]
    return images


def _managed(triggers: Sequence[Mapping[str, Any]]) -> dict[str, ImageChange]:
    found: dict[str, ImageChange] = {}
    for i, trigger in enumerate(triggers):
        if trigger.get("type") == "ImageChange":
            change = read_form(ImageChange, trigger.get("imageChangeParams"), f"/spec/triggers/{i}/imageChangeParams")
            found |= dict.fromkeys(change.container_names, change)
    return found


def _containers(pod: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in ("initContainers", "containers"):
        items = pod.get(group)
        for i, container in enumerate(items if isinstance(items, list) else []):
            if isinstance(container, Mapping):
                yield f"/spec/template/spec/{group}/{i}", container


def _plain(obj: dict[str, Any], path: str, container: Mapping[str, Any], lookup: Lookup) -> Where:
    """The image of a container that no trigger names: as it is, its stream's where that resolves names, or asked for where it is blank."""
    image = container.get("image")
    tag = local_tag(image, namespace_of(obj), lookup)
    if tag is not None:
        return followed("ImageStreamTag", namespace_of(obj), tag, image, path, lookup)
    if isinstance(image, str) and image.strip():
        return image, None
    return _asked(f"{label_of(obj)}/{container.get('name')}", path, lookup), None


def short_tag(image: object) -> str | None:
    """`name:tag` of an image that names neither a registry nor a folder, which an ImageStream may resolve; None for any other."""
    if not isinstance(image, str) or not SHORT_NAME.fullmatch(image):
        return None
    return image if ":" in image else f"{image}:latest"


def local_tag(image: object, namespace: str | None, lookup: Lookup) -> str | None:
    """The tag that a short image name means, where an ImageStream of the run resolves such names (`spec.lookupPolicy.local`), or None."""
    tag = short_tag(image)
    stream = lookup.find("ImageStream", namespace, tag.partition(":")[0]) if tag else None
    policy = ((stream or {}).get("spec") or {}).get("lookupPolicy")
    return tag if isinstance(policy, Mapping) and policy.get("local") is True else None


def _from_trigger(obj: dict[str, Any], path: str, container: Mapping[str, Any], change: ImageChange, lookup: Lookup) -> Where:
    namespace = change.from_.namespace or namespace_of(obj)
    return followed(change.from_.kind, namespace, change.from_.name, container.get("image"), path, lookup)


Where = tuple[str, str | None]
"""(image, where it lies today if an ImageStream said so)."""


def followed(kind: str, namespace: str | None, name: str, image: object, path: str, lookup: Lookup) -> Where:
    """The image of a container that follows a tag: answered, or the stream's (OpenShift writes that over the container's own), or its own.

    The stream's image comes from the registry that the registry map names. Raises CannotConvert with its Question where nobody knows.
    """
    stream = f"{namespace}/{name}" if namespace else name
    answer = answered_image(stream, lookup)
    if answer:
        return answer, None
    found = stream_image(kind, namespace, name, lookup)
    if found is not None:
        return mapped(found, lookup), found
    if isinstance(image, str) and has_registry(image) and not INTERNAL_REGISTRY.match(image) and not is_opaque(image):
        return image, None
    return _asked(stream, path, lookup), None


def mapped(image: str, lookup: Lookup) -> str:
    """The image in the registry that a Decision, or the target, names for its own; else as it is."""
    registry, _, rest = image.partition("/")
    known = lookup.target.get("registries")
    place = lookup.decision(decision_key("registries", registry)) or (known.get(registry) if isinstance(known, dict) else None)
    return f"{place.rstrip('/')}/{rest}" if isinstance(place, str) and place and has_registry(image) else image


def has_registry(image: str) -> bool:
    """Whether an image reference names its registry: a first segment with a dot, a port, or `localhost`."""
    first, slash, _ = image.strip().partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def stream_image(kind: str, namespace: str | None, name: str, lookup: Lookup) -> str | None:
    """The image outside the cluster that an ImageStreamTag of the run follows; None where the run does not say, or it is built here."""
    for _ in range(ALIAS_LIMIT):
        if kind == "DockerImage":
            return None if INTERNAL_REGISTRY.match(name) or is_opaque(name) else name
        stream_name, colon, tag = name.partition(":")
        stream = lookup.find("ImageStream", namespace, stream_name) if kind == "ImageStreamTag" and colon else None
        source = _tag_source(stream, tag)
        if source is None:
            return None
        kind, namespace = source["kind"], source.get("namespace") or namespace
        name = source["name"] if ":" in source["name"] or kind == "DockerImage" else f"{stream_name}:{source['name']}"
    return None


def _tag_source(stream: Mapping[str, Any] | None, tag: str) -> Mapping[str, Any] | None:
    spec = (stream or {}).get("spec") or {}
    for item in spec.get("tags") or []:
        source = item.get("from") if item.get("name") == tag else None
        if isinstance(source, Mapping) and isinstance(source.get("name"), str):
            return {"kind": "ImageStreamTag", **source}
    repository = spec.get("dockerImageRepository")
    return {"kind": "DockerImage", "name": f"{repository}:{tag}"} if isinstance(repository, str) and repository else None


def _asked(what: str, path: str, lookup: Lookup) -> str:
    answer = answered_image(what, lookup)
    if answer:
        return answer
    raise CannotConvert(
        f"the image {what} is filled in by OpenShift; which image it is outside the cluster must be said", ask_image(what), f"{path}/image"
    )


def answered_image(what: str, lookup: Lookup) -> str | None:
    """The image that a human named for an ImageStreamTag; `keep` names none, as the tag means nothing outside of OpenShift."""
    answer = lookup.decision(decision_key("images", what))
    return answer if isinstance(answer, str) and answer.strip() and answer != KEEP else None


def ask_image(what: str) -> Question:
    """The Decision for the image that an ImageStreamTag (with its namespace where that is known) stands for."""
    name = what.rpartition("/")[2].partition(":")[0] or "web"
    return Question(decision_key("images", what), f"Which image, with its registry, is {what}?", f"myregistry.azurecr.io/{name}:1.4.2")
