"""The templates of infra/ as parsed trees, and what tests ask of them.

pycep drops the quotes of a text, so a name and a text look alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

ROOT = Path(__file__).parents[1]
INFRA = ROOT / "infra"


@dataclass(frozen=True)
class Template:
    """One file; `text` is without comments, so that a name in a comment is no use of it."""

    path: Path
    text: str
    tree: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.relative_to(INFRA).as_posix()

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.tree.get("parameters", {}))

    @property
    def required(self) -> set[str]:
        """Parameters without a default. pycep's None is also what a default of null would be; there is none."""
        return {name for name, parameter in self.parameters.items() if parameter["default"] is None}

    @property
    def resources(self) -> dict[str, Any]:
        return dict(self.tree.get("resources", {}))

    @property
    def modules(self) -> dict[str, Any]:
        return dict(self.tree.get("modules", {}))

    @property
    def outputs(self) -> set[str]:
        return set(self.tree.get("outputs", {}))

    def variable(self, name: str) -> Any:
        """What a `var` is."""
        return self.tree["variables"][name]["value"]

    def module_file(self, name: str) -> str:
        """The file of a module, relative to infra/."""
        path = (self.path.parent / self.modules[name]["detail"]["path"]).resolve()
        return path.relative_to(INFRA).as_posix()


@cache
def templates() -> dict[str, Template]:
    """Every template by its path in infra/."""
    parser = BicepParser()
    found = (
        Template(path, without_comments(path.read_text()), parser.parse(text=path.read_text())) for path in sorted(INFRA.rglob("*.bicep"))
    )
    return {template.name: template for template in found}


def without_comments(text: str) -> str:
    """The lines without what follows `//`, except in an address (`https://`)."""
    return "\n".join(re.sub(r"(?<!:)//.*", "", line) for line in text.splitlines())


def body(item: dict[str, Any]) -> dict[str, Any]:
    """The object of a resource or module, out of its loop or condition."""
    config = item["config"]
    while "config" in config:
        config = config["config"]
    return dict(config)


def created() -> Iterator[tuple[Template, str, dict[str, Any]]]:
    """(template, symbol, resource) of everything that is made, not only referred to."""
    for template in templates().values():
        for symbol, resource in template.resources.items():
            if not resource["existing"]:
                yield template, symbol, resource
