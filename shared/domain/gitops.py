"""What Argo CD or Flux of the source cluster reads of a repository, as far as the application's own objects say it.

Fields: https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml and https://fluxcd.io/flux/components/ (read 2026-11).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEFAULT = ("", "HEAD")


@dataclass(frozen=True, slots=True)
class Watcher:
    """A tool's object that deploys `path` ("" for the whole repository; None where nobody knows) of a repository and branch.

    `plain`: the tool takes every YAML file there for an object.
    """

    tool: str
    name: str
    path: str | None
    plain: bool = False


def watchers(objects: Iterable[Mapping[str, Any]], repository: str, branch: str, default_branch: str) -> list[Watcher]:
    """The objects that read a branch of `owner/name`, each once."""
    every = list(objects)
    found = [*_argo(every, repository, branch, default_branch), *_flux(every, repository, branch)]
    return list(dict.fromkeys(found))


def _argo(objects: Iterable[Mapping[str, Any]], repository: str, branch: str, default_branch: str) -> Iterator[Watcher]:
    for obj in objects:
        if _group(obj) != "argoproj.io" or obj.get("kind") not in ("Application", "ApplicationSet"):
            continue
        spec = _dict(obj.get("spec"))
        if obj["kind"] == "ApplicationSet":
            spec = _dict(_dict(spec.get("template")).get("spec"))
        for source in [spec.get("source"), *_list(spec.get("sources"))]:
            one = _dict(source)
            revision = str(one.get("targetRevision") or "")
            mine = branch == default_branch if revision in _DEFAULT else revision.removeprefix("refs/heads/") == branch
            if mine and same_repository(one.get("repoURL"), repository):
                yield Watcher("Argo CD", _name(obj), _path(one.get("path")))


def _flux(objects: Iterable[Mapping[str, Any]], repository: str, branch: str) -> Iterator[Watcher]:
    every = list(objects)
    for source in every:
        if _group(source) != "source.toolkit.fluxcd.io" or source.get("kind") != "GitRepository":
            continue
        spec = _dict(source.get("spec"))
        reference = _dict(spec.get("ref"))
        named = str(reference.get("name") or "").removeprefix("refs/heads/") or str(reference.get("branch") or "master")
        pinned = any(reference.get(key) for key in ("commit", "tag", "semver"))
        if pinned or named != branch or not same_repository(spec.get("url"), repository):
            continue
        users = [obj for obj in every if _group(obj) == "kustomize.toolkit.fluxcd.io" and _reads(obj, source)]
        yield from (Watcher("Flux", _name(obj), _path(_dict(obj.get("spec")).get("path"))) for obj in users)
        if not users:
            yield Watcher("Flux", _name(source), None)


def _reads(obj: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    reference = _dict(_dict(obj.get("spec")).get("sourceRef"))
    return reference.get("kind") == "GitRepository" and reference.get("name") == _name(source)


def same_repository(url: object, repository: str) -> bool:
    """Whether an address (https, ssh, or `git@host:owner/name`) is that of `owner/name`, whatever its host."""
    path = re.sub(r"(\.git)?/*$", "", str(url or "").lower())
    return bool(re.search(rf"[/:]{re.escape(repository.lower())}$", path))


def _path(value: object) -> str | None:
    """A folder as the repository names it; "" for its root."""
    if not isinstance(value, str) or "{{" in value:
        return "" if value in (None, "") else None
    path = posixpath.normpath(value).lstrip("/")
    return "" if path == "." else path.removeprefix("./")


def _group(obj: Mapping[str, Any]) -> str:
    return str(obj.get("apiVersion", "")).partition("/")[0]


def _name(obj: Mapping[str, Any]) -> str:
    return str(_dict(obj.get("metadata")).get("name", "?"))


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
