"""Where a run's files come from, when they come from a repository: `origin.json`, which the Intake writes and every publisher reads."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as SchemaError
from pydantic.alias_generators import to_camel

from shared.domain.code_host import Repository
from shared.domain.errors import CriticalError
from shared.domain.layout import Layout, layout_of
from shared.domain.pointer import JsonValue
from shared.domain.repository import ROOT, FailOn
from shared.domain.run import RunSetup
from shared.pipeline import names, state
from shared.pipeline.context import Context


class Origin(BaseModel):
    """A folder (`path`) of a repository at a commit, and what the repository wants done with the results (shared.domain.repository).

    `base` is the branch that was pushed to, or into which the pull request `pull_request` goes; `before` is the commit that it had.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    name: str = Field(alias="repository")
    installation: int | None = None
    commit: str
    ref: str = ""
    base: str = ""
    before: str | None = None
    pull_request: int | None = None
    fork: bool = False
    path: str = ROOT
    default_branch: str = ""
    target: str | None = None
    results: str | None = None
    layout: str | None = None
    fail_on: FailOn = "error"
    code_scanning: bool = False

    @property
    def repository(self) -> Repository:
        """As the ports take it."""
        return Repository(self.name, self.installation)

    @property
    def folder(self) -> str:
        """`path`, "" for the repository's root."""
        return "" if self.path == ROOT else self.path

    @property
    def main(self) -> str:
        """The repository's default branch."""
        return self.default_branch or self.base

    def layout_of(self, setup: RunSetup) -> Layout:
        """Where the results of the run go."""
        return layout_of(setup, self.layout, self.path, self.base)

    def to_json(self) -> dict[str, JsonValue]:
        """The document that `origin.json` holds, and the API shows."""
        return self.model_dump(mode="json", by_alias=True)


def find(ctx: Context, run: str) -> Origin | None:
    """None where the run does not come from a repository. Raises CriticalError where the blob cannot be read."""
    stored = state.find(ctx, names.origin(run))
    try:
        return None if stored is None else Origin.model_validate(stored)
    except SchemaError as error:
        raise CriticalError(f"stored state runs/{names.origin(run)} cannot be read") from error


def load(ctx: Context, run: str) -> Origin:
    """As `find`, but it is a CriticalError where there is none."""
    found = find(ctx, run)
    if found is None:
        raise CriticalError(f"stored state runs/{names.origin(run)} is missing")
    return found
