"""The operators that manifests expect to find, and what takes their place on AKS: shared/operators/operators.yaml, read once.

One table answers both questions of a migration: which chart or add-on replaces a package of OpenShift's catalogue, and which operator a
custom resource waits for.
"""

from __future__ import annotations

import fnmatch
import functools
from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.domain.rulebook import Closed, load_document

TABLE = Path(__file__).parents[1] / "operators" / "operators.yaml"
Way = Literal["chart", "manifests", "add-on", "extension", "service", "nothing"]


class Operator(Closed):
    """One operator. `instead` is what stands on AKS in its place, in words that follow "On AKS: "; `source` the page that says so.

    `packages` are its names in OLM's catalogues, `groups` globs of its API groups, `charts` the Helm charts that bring it. With the way
    `nothing` AKS needs no such operator; `automatic` says that AKS Automatic brings it.
    """

    name: str
    way: Way
    packages: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    instead: str
    source: str = Field(pattern="^https://")
    automatic: bool = False


class Table(Closed):
    """The file: when its sources were read (YYYY-MM-DD), and its operators."""

    asOf: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")  # noqa: N815 (the key in the file)
    operators: tuple[Operator, ...]


@functools.cache
def table() -> Table:
    """The table. Raises ValidationError where the file is unreadable."""
    return Table.model_validate(load_document(TABLE, "table"))


def operator_of_package(package: str) -> Operator | None:
    """The operator that a package of OLM installs."""
    return next((o for o in table().operators if package in o.packages), None)


@functools.cache
def operator_of_group(group: str) -> Operator | None:
    """The operator that serves an API group."""
    return next((o for o in table().operators if any(fnmatch.fnmatchcase(group, g) for g in o.groups)), None)
