"""What a kustomization takes from elsewhere: remote bases, paths that leave the run, charts that kustomize inflates.

How kustomize tells a URL from a path: github.com/kubernetes-sigs/kustomize, examples/remoteBuild.md and api/internal/git/repospec.go. The
answer to the Decision `bases` for one of them is the path of a copy of its objects inside the run.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.convert.base import decision_key
from shared.domain.pointer import child

TAKING = ("resources", "bases", "components", "crds", "configurations", "transformers", "generators", "validators", "patchesStrategicMerge")
"""Fields that name files, folders or URLs."""

_REMOTE = re.compile(
    r"""[a-z][a-z0-9+.-]*:// | git:: | gh: | github[.]com[/:] | [\w.-]+@[\w.-]+:
    | [\w-]+(?:[.][\w-]+)+/.*(?: // | [?](?:ref|version)= | [.]git\b )""",
    re.IGNORECASE | re.VERBOSE,
)
_LOGIN = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Foreign:
    """One thing from elsewhere: where it stands, how the Decision names it, and in words why its objects are not in the run."""

    pointer: str
    name: str
    why: str

    @property
    def key(self) -> str:
        return decision_key("bases", self.name)


def foreign_bases(path: str | None, content: Mapping[str, Any]) -> Iterator[Foreign]:
    """What a kustomization at this path of the run takes from elsewhere; without a path, only what no path could hold."""
    for field in TAKING:
        items = content.get(field)
        for i, entry in enumerate(items if isinstance(items, list) else []):
            if isinstance(entry, str) and "\n" not in entry:
                yield from _foreign(path, child("", field, i), entry)
    patches = content.get("patches")
    for i, entry in enumerate(patches if isinstance(patches, list) else []):
        if isinstance(entry, dict) and isinstance(entry.get("path"), str):
            yield from _foreign(path, child("/patches", i, "path"), entry["path"])


def _foreign(path: str | None, pointer: str, entry: str) -> Iterator[Foreign]:
    if is_remote(entry):
        yield Foreign(pointer, _LOGIN.sub("", entry), "is remote")
    elif posixpath.isabs(entry) or (path is not None and _leaves(path, entry)):
        yield Foreign(pointer, entry, "lies outside of what was given to this run")


def is_remote(entry: str) -> bool:
    """Whether kustomize fetches an entry, as far as its text says."""
    return _REMOTE.match(entry) is not None


def _leaves(path: str, entry: str) -> bool:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), entry)).split("/")[0] == ".."


def inflated_charts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(pointer, chart with its repository and version) of every chart that the kustomization inflates."""
    for field in ("helmCharts", "helmChartInflationGenerator"):
        items = content.get(field)
        for i, entry in enumerate(items if isinstance(items, list) else []):
            if isinstance(entry, dict):
                name, repo = entry.get("name", entry.get("chartName")), entry.get("repo", entry.get("chartRepo"))
                version = entry.get("version", entry.get("chartVersion"))
                said = [str(name), f"of {_LOGIN.sub('', repo)}" if isinstance(repo, str) else "", f"version {version}" if version else ""]
                yield child("", field, i), " ".join(s for s in said if s)
