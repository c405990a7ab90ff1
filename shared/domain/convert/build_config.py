"""OpenShift BuildConfig -> a build outside the cluster: `az acr build` where that says the same, else a person's word that it has moved.

Facts: guide/aks_facts_source.md 4.3 (openshift/api build/v1/types.go). AKS builds nothing, so the object goes once its image has a new
origin; what the object said is kept in resources.md, and each part of it that the command cannot say is a Loss.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Conversion, Lookup, Loss, Op, decision_key
from shared.domain.convert.edits import label_of, namespace_of
from shared.domain.convert.trigger_images import INTERNAL_REGISTRY, answered_image, ask_image
from shared.domain.model import Question
from shared.domain.needs import AzureResource
from shared.domain.pointer import MISSING, get

S2I = (
    "a Dockerfile does the same (FROM the builder image; COPY --chown=1001:0 . /tmp/src; RUN /usr/libexec/s2i/assemble; CMD"
    " /usr/libexec/s2i/run), which az acr build or a GitHub Actions workflow then builds"
)
OTHERS: Mapping[str, str] = {
    "Source": f"a source-to-image build has no equivalent in ACR Tasks; {S2I}",
    "Custom": "a custom build runs an image of its own; a GitHub Actions workflow or an ACR task of several steps takes its place",
    "JenkinsPipeline": "its Jenkinsfile becomes a GitHub Actions workflow or an Azure pipeline",
}
STRATEGIES: Mapping[str, str] = {
    "dockerStrategy": "Docker",
    "sourceStrategy": "Source",
    "customStrategy": "Custom",
    "jenkinsPipelineStrategy": "JenkinsPipeline",
}
LOST: Mapping[str, str] = {
    "/spec/triggers": "a push to the repository, or a new base image, starts no build by itself: let a workflow or an ACR task do that",
    "/spec/postCommit": "the command that tested the new image is not run: make it a step of the workflow",
    "/spec/source/sourceSecret": "the secret that opened the repository is not used: give the build a token of its own",
    "/spec/source/secrets": "secrets of the build are not mounted: pass them as build secrets, never as build arguments",
    "/spec/source/configMaps": "ConfigMaps of the build are not mounted: copy their files into the build's context",
    "/spec/source/images": "files are not copied out of other images: use COPY --from in the Dockerfile",
    "/spec/strategy/dockerStrategy/from": "the image in the Dockerfile's last FROM was replaced by this one: write it there",
    "/spec/strategy/dockerStrategy/env": "these variables are not set in the image: write them as ENV after FROM",
    "/spec/strategy/dockerStrategy/pullSecret": "the secret that opened the base image's registry is not used",
    "/spec/strategy/dockerStrategy/volumes": "volumes of the build are not mounted",
    "/spec/output/imageLabels": "these labels are not set on the image: write them as LABEL",
    "/spec/nodeSelector": "builds run outside the cluster: its nodes are not selected",
    "/spec/resources": "builds run outside the cluster: their resources are set there",
}

IN_THE_IMAGE: Mapping[str, str] = {
    "/spec/strategy/sourceStrategy/env": "the image held these variables, also when it ran: give them to the new build, or to the pods",
}
"""What a build left in its image, which pods may count on, whoever builds it from now on."""


def build_config(obj: dict[str, Any], lookup: Lookup) -> Conversion:
    """The object's removal, with the command that builds instead. Raises CannotConvert with the question that is left."""
    if obj["kind"] not in ("BuildConfig", "Build"):
        raise CannotConvert("the object is not a BuildConfig")
    if obj["kind"] == "Build":
        return Conversion((Op("remove", ""),), losses=(Loss("/kind", "the record of a build that ran is left out"),))
    moved = lookup.decision(decision_key("builds", label_of(obj)))
    if isinstance(moved, str) and moved.strip():
        said = (Loss("/kind", f"the build runs outside the cluster now: {moved}"), *_losses(obj, IN_THE_IMAGE))
        return Conversion((Op("remove", ""),), losses=said)
    kind = _strategy(obj)
    repository = get(obj, "/spec/source/git/uri")
    if kind != "Docker" or not isinstance(repository, str):
        why = OTHERS.get(kind, "its source is not a Git repository, so a workflow that has the source builds the image")
        question = Question(
            decision_key("builds", label_of(obj)),
            f"Where is the image of BuildConfig {label_of(obj)} built from now on? Once this is answered, the BuildConfig is removed.",
            ".github/workflows/image.yaml",
        )
        raise CannotConvert(why, question, "/spec/strategy")
    image = _image(obj, lookup)
    row = AzureResource("Image build", image, f"what BuildConfig {label_of(obj)} built", _command(obj, image, repository))
    return Conversion((Op("remove", ""),), losses=tuple(_losses(obj, LOST)), resources=(row,))


def _strategy(obj: Mapping[str, Any]) -> str:
    strategy = get(obj, "/spec/strategy")
    found = strategy if isinstance(strategy, Mapping) else {}
    named = found.get("type")
    return named if isinstance(named, str) else next((kind for field, kind in STRATEGIES.items() if field in found), "")


def _image(obj: dict[str, Any], lookup: Lookup) -> str:
    """The image that the new build pushes: the one it pushed to another registry, else the answer for the ImageStreamTag."""
    target = get(obj, "/spec/output/to")
    name = target.get("name") if isinstance(target, Mapping) else None
    if isinstance(target, Mapping) and target.get("kind") == "DockerImage" and isinstance(name, str) and not INTERNAL_REGISTRY.match(name):
        return name
    namespace = (target.get("namespace") if isinstance(target, Mapping) else None) or namespace_of(obj)
    stream = name if isinstance(name, str) and name else label_of(obj)
    what = f"{namespace}/{stream}" if namespace and stream is name else stream
    answer = answered_image(what, lookup)
    if answer:
        return answer
    raise CannotConvert(
        f"BuildConfig {label_of(obj)} built {stream}; where the image lies outside of OpenShift must be said", ask_image(what)
    )


def _command(obj: Mapping[str, Any], image: str, repository: str) -> str:
    registry, _, name = image.partition("/")
    context = repository + "".join(_context(obj))
    docker = get(obj, "/spec/strategy/dockerStrategy")
    strategy = docker if isinstance(docker, Mapping) else {}
    path = strategy.get("dockerfilePath")
    words = ["--file", path] if isinstance(path, str) else []
    arguments = strategy.get("buildArgs")
    for argument in arguments if isinstance(arguments, list) else []:
        if isinstance(argument, Mapping) and isinstance(argument.get("name"), str):
            words += ["--build-arg", f"{argument['name']}={argument.get('value', '')}"]
    if registry.endswith(".azurecr.io"):
        return shlex.join(["az", "acr", "build", "--registry", registry.removesuffix(".azurecr.io"), "--image", name, *words, context])
    return f"{shlex.join(['docker', 'build', '--tag', image, *words, context])} && {shlex.join(['docker', 'push', image])}"


def _context(obj: Mapping[str, Any]) -> Iterator[str]:
    """`#ref:folder`, as `docker build` and `az acr build` name a part of a repository."""
    ref, folder = get(obj, "/spec/source/git/ref"), get(obj, "/spec/source/contextDir")
    folder = folder.strip("/") if isinstance(folder, str) else ""
    ref = ref if isinstance(ref, str) else ""
    if ref or folder:
        yield f"#{ref}{':' + folder if folder else ''}"


def _losses(obj: Mapping[str, Any], lost: Mapping[str, str]) -> Iterator[Loss]:
    for path, message in lost.items():
        if get(obj, path) is not MISSING and get(obj, path):
            yield Loss(path, message)
