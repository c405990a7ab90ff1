"""The key `repository` of `.aks-copilot.yaml` at a repository's root: which folders are applications, and what becomes of results.

    repository:
      branches: [main, "release/*"]     # default: the default branch
      results: pull-request             # or check, none
      failOn: error                     # of which level a finding that is left makes the check fail
      codeScanning: true                # findings as alerts of GitHub's code scanning, too
      unsafe: true                      # suggested changes are applied, too
      deploy: {namespace: shop}         # who deploys what was merged (docs/deployment.md); default: nobody
      applications:
        - path: deploy/shop             # default: the whole repository is one application
          source: k3s
          target: targets/production.yaml

A schema that is closed: a slip of the pen is one clear line, never a setting that nobody hears.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic import ValidationError as SchemaError

from shared.domain.archive import path_problem
from shared.domain.boundary import SYSTEM_NAMESPACES
from shared.domain.decision_file import FILE_NAME, parsed
from shared.domain.errors import ValidationError, first_problem
from shared.domain.rulebook import Closed
from shared.domain.run import app_name
from shared.domain.yaml_lines import line_of

KEY = "repository"
ROOT = "."
Results = Literal["pull-request", "check", "none"]
FailOn = Literal["error", "warning", "info", "never"]
Layout = Literal["auto", "overlay", "folder", "branch", "in-place"]
_APP = r"^[a-z0-9-]{1,40}$"
_MANIFEST = (".yaml", ".yml", ".json")
_KUSTOMIZATION = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Deploy(Closed):
    """Who deploys a merged pull request: a workflow of the repository, whoever hears a repository event, a GitOps tool, or nobody."""

    by: Literal["workflow", "dispatch", "gitops", "none"] = "workflow"
    workflow: str = Field(default="aks-copilot-deploy.yml", pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.ya?ml$")
    namespace: str | None = Field(default=None, pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    path: str | None = None
    """The folder to apply; by default the one that the results went to."""

    @model_validator(mode="after")
    def _whole(self) -> Deploy:
        if self.by in ("workflow", "dispatch") and self.namespace is None:
            raise ValueError("namespace is missing: a deployment goes into one namespace")
        if self.namespace in SYSTEM_NAMESPACES:
            raise ValueError(f"the namespace {self.namespace} is one of the cluster's own")
        problem = path_problem(self.path) if self.path not in (None, ROOT) else None
        if problem:
            raise ValueError(problem)
        return self


class _Chosen(Closed):
    """What may be said for the whole repository, and again for one application. `target` is a name, or the path of a file."""

    source: str | None = Field(default=None, min_length=1, max_length=100)
    target: str | None = Field(default=None, min_length=1, max_length=400)
    results: Results | None = None
    layout: Layout | None = None
    fail_on: FailOn | None = Field(default=None, alias="failOn")
    code_scanning: bool | None = Field(default=None, alias="codeScanning")
    unsafe: bool | None = None
    deploy: Deploy | None = None


class Application(_Chosen):
    """One folder of manifests. `path` is `.` for the repository's root."""

    path: str = ROOT
    app: str | None = Field(default=None, pattern=_APP)

    @field_validator("path")
    @classmethod
    def _relative(cls, path: str) -> str:
        path = path.removeprefix("./").rstrip("/") or ROOT
        problem = path_problem(path) if path != ROOT else None
        if problem:
            raise ValueError(problem)
        return path

    def holds(self, path: str) -> bool:
        """Whether a file of the repository is one of the application's."""
        return self.path == ROOT or path.startswith(f"{self.path}/")


class RepositorySettings(_Chosen):
    """The key `repository`."""

    branches: tuple[str, ...] = ()
    applications: tuple[Application, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> RepositorySettings:
        for number, one in enumerate(self.applications):
            for other in self.applications[:number]:
                if one.holds(f"{other.path}/x") or other.holds(f"{one.path}/x"):
                    raise ValueError(f"the applications {other.path} and {one.path} have files in common")
        return self

    def watches(self, branch: str, default: str) -> bool:
        """Whether pushes to a branch, and pull requests into it, are looked at. `*` in a pattern stands for any text."""
        return any(fnmatch.fnmatchcase(branch, pattern) for pattern in self.branches or (re.sub(r"([*?[])", r"[\1]", default),))

    def all(self, repository: str) -> tuple[Application, ...]:
        """Every application, complete: each has its name, and what it does not say itself the repository says."""
        found = self.applications or (Application(app=app_name(repository.rpartition("/")[2])),)
        return tuple(self._complete(one, repository) for one in found)

    def _complete(self, one: Application, repository: str) -> Application:
        said: dict[str, Any] = {name: getattr(self if getattr(one, name) is None else one, name) for name in _Chosen.model_fields}
        said["results"] = said["results"] or "pull-request"
        name = one.app or app_name((repository if one.path == ROOT else one.path).rpartition("/")[2])
        return one.model_copy(update=said | {"app": name})


def read_settings(data: bytes | None) -> RepositorySettings:
    """The settings of the file's bytes; the defaults where there is no file or no such key. Raises ValidationError with file and line."""
    if data is None:
        return RepositorySettings()
    found, text = parsed(data)
    settings, problem = parse(found)
    if problem is not None:
        raise ValidationError(f"{FILE_NAME}:{line_of(text, problem[0])}: {problem[1]}")
    return settings


Problem = tuple[tuple[str | int, ...], str]


def parse(document: Any) -> tuple[RepositorySettings, Problem | None]:
    """The settings of a parsed file, or what is wrong with them: (place, one line)."""
    given = document.get(KEY) if isinstance(document, Mapping) else None
    if given is None:
        return RepositorySettings(), None
    try:
        settings = RepositorySettings.model_validate(given)
        _unique(settings)
    except SchemaError as error:
        place = tuple(x for x in error.errors()[0]["loc"] if isinstance(x, (str, int)))
        return RepositorySettings(), ((KEY, *place), f"{KEY}.{first_problem(error)}")
    except ValidationError as error:
        return RepositorySettings(), ((KEY, "applications"), str(error))
    return settings, None


def touched(applications: Iterable[Application], paths: Iterable[str]) -> Iterator[Application]:
    """The applications that a change concerns. The file of settings, or an application's target file, concerns whom it speaks of."""
    changed = set(paths)
    for one in applications:
        if FILE_NAME in changed or one.target in changed or any(one.holds(path) for path in changed):
            yield one


def of_manifests(changed: Iterable[str], files: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Of changed paths those that may concern manifests, in a repository that has not said where they are: YAML and JSON, and what lies
    in the folder of a kustomization or below it. Folders of tools (`.github`) never count. `files`: all paths of the repository.
    """
    rest = []
    for path in changed:
        if path.endswith(_MANIFEST) and not _of_a_tool(path):
            yield path
        elif not _of_a_tool(path):
            rest.append(path)
    if rest:
        folders = tuple(path.rpartition("/")[0] for path in files() if path.rpartition("/")[2] in _KUSTOMIZATION)
        yield from (path for path in rest if any(not folder or path.startswith(f"{folder}/") for folder in folders))


def _of_a_tool(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/")[:-1])


def _unique(settings: RepositorySettings) -> None:
    names = [one.app or app_name(one.path.rpartition("/")[2]) for one in settings.applications if one.app or one.path != ROOT]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValidationError(f"{KEY}.applications: two applications are named {twice}; give one another name with `app`")
