"""Where a pull request puts a run's results (DESIGN 10): the source cluster still reads the same files while a team migrates.

    in-place   where the files are
    folder     a folder beside the application's, `<folder>-aks`, with the whole result; the application's own files stay as they are
    overlay    the same: an overlay that says only the differences cannot be proved to give the same objects
    branch     where the files are, on a branch of AKS's own, `<branch>-aks`
    auto       overlay where Argo CD, Flux or a kustomization is found, else in-place

The answers (`.aks-copilot.yaml`) always stay in the application's own folder: that is where the next run reads them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.domain.decision_file import FILE_NAME
from shared.domain.manifest import KUSTOMIZATION_NAMES
from shared.domain.model import FileOutcome
from shared.domain.repository import ROOT
from shared.domain.run import RunSetup

MARKER = ".aks-copilot-result"
"""A folder that holds a file of this name is the program's result, never its input."""
MARKER_TEXT = (
    "This folder is written by aks-copilot: the application of {source}, for Azure Kubernetes Service.\n"
    "It is no input of the next run. What somebody else changes here is left as it is, and said in the pull request.\n"
)
_MANIFESTS = ("unchanged", "patched", "created", "refused")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths in the repository, "" for its root. `base` is the branch that the pull request goes into."""

    kind: Literal["in-place", "folder", "branch"]
    source: str
    folder: str
    base: str

    def place(self, path: str) -> str:
        """Where a file of the run goes."""
        return posixpath.join(self.source if path == FILE_NAME else self.folder, path)


def layout_of(setup: RunSetup, wanted: str | None, path: str, branch: str) -> Layout:
    """`wanted` is what the repository says, `path` the application's folder there, `branch` the one that was pushed to."""
    said = wanted or str(setup.target.get("layout", "auto"))
    source = "" if path == ROOT else path
    if said == "auto":
        said = "overlay" if has_gitops(setup) else "in-place"
    if said in ("overlay", "folder"):
        return Layout("folder", source, f"{source or setup.app}-aks", branch)
    if said == "branch":
        return Layout("branch", source, source, f"{branch}-aks")
    return Layout("in-place", source, source, branch)


def has_gitops(setup: RunSetup) -> bool:
    """Whether something in the application says that more than one cluster may be built from its files."""
    return bool(setup.index.get("kustomizations")) or any(is_gitops(entry["object"]) for entry in setup.index.get("objects", ()))


def is_gitops(obj: Mapping[str, object]) -> bool:
    """Whether an object tells Argo CD or Flux what to deploy."""
    group = str(obj.get("apiVersion", "")).partition("/")[0]
    return (group == "argoproj.io" and obj.get("kind") in ("Application", "ApplicationSet")) or group.endswith(".toolkit.fluxcd.io")


def carried(outcomes: Iterable[FileOutcome], paths: Iterable[str], *, whole_repository: bool) -> frozenset[str]:
    """Which files of the application a folder of its own needs: all of them, but of a whole repository only what belongs to manifests.

    That is what lies in a folder with manifests, a kustomization or a chart, or below one; the repository's root counts as such a folder
    only where it has a kustomization or a chart.
    """
    every = frozenset(paths) - {FILE_NAME}
    if not whole_repository:
        return every
    manifests = {outcome.path for outcome in outcomes if outcome.status in _MANIFESTS} & every
    roots = {path for path in every if posixpath.basename(path) in (*KUSTOMIZATION_NAMES, "Chart.yaml")}
    folders = {posixpath.dirname(path) for path in manifests | roots} - {""}
    if any("/" not in path for path in roots):
        return frozenset(path for path in every if not path.startswith(".github/"))
    return frozenset(path for path in every if path in manifests or _inside(path, folders))


def _inside(path: str, folders: set[str]) -> bool:
    folder = posixpath.dirname(path)
    while folder:
        if folder in folders:
            return True
        folder = posixpath.dirname(folder)
    return False
