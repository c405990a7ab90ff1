"""Rules as data: one YAML file is one rule with why, links, examples. Loaded once, checked by a closed schema.

A rule names a check (shared/domain/checks) and, where it can, a fix (shared/domain/fixes). Both are few mechanisms in
code with typed parameters; the policy is in the file. A user's own files are loaded the same way.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem
from shared.domain.model import Disposition, Severity
from shared.domain.paths import POD_SPECS
from shared.domain.policy import Policy

RULES = Path(__file__).parents[1] / "rules"
KUSTOMIZE = "kustomize.config.k8s.io"
"""The API group of kustomizations: files of a tool, which only rules that name the group look at."""


class Closed(BaseModel):
    """A part of a rule, profile or target file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(Closed):
    """Which check finds violations, with its parameters (see shared/domain/checks)."""

    check: str
    params: dict[str, Any] = Field(default_factory=dict)


class Fix(Closed):
    """How a violation is mended. Unsafe unless the file says safe."""

    how: str
    disposition: Disposition = "unsafe"
    params: dict[str, Any] = Field(default_factory=dict)


class Ask(Closed):
    """The Decision a human must take; texts may name the match's fields in braces."""

    key: str = ""
    question: str
    example: str = ""


class Repair(Closed):
    """Where a language model may look for a repair: places as checks name them (shared/domain/paths.py) beside the violation's own."""

    paths: tuple[str, ...] = Field(min_length=1)


class Resource(Closed):
    """An Azure resource that the finding calls for; texts may name the match's fields in braces, capitals are the user's to fill in."""

    kind: str
    name: str
    why: str
    command: str


class Example(Closed):
    """`bad` fires; with `fixed` the fix gives exactly that text; `good` stays silent. `files` are the rest of the run.

    `target` are keys of a target file that differ from the default.
    """

    bad: str | None = None
    fixed: str | None = None
    good: str | None = None
    note: str | None = None
    files: dict[str, str] = Field(default_factory=dict)
    decisions: str | None = None
    target: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> Example:
        if (self.bad is None) == (self.good is None):
            raise ValueError("an example is either `bad` (with `fixed` where the rule has a fix) or `good`")
        return self


class Rule(Closed):
    """One rule file. `harmless` says why nothing needs doing, `advice` what a person does where the program does not."""

    id: str = Field(pattern=r"^[A-Z]{2,8}\d{4}$")
    title: str
    why: str
    links: tuple[str, ...] = Field(min_length=1)
    severity: Severity
    kinds: tuple[str, ...] = Field(min_length=1)
    sources: tuple[str, ...] = ("any",)
    policy: Policy | None = None
    match: Match
    message: str
    fix: Fix | None = None
    ask: Ask | None = None
    repair: Repair | None = None
    harmless: str | None = None
    advice: str | None = None
    resources: tuple[Resource, ...] = ()
    examples: tuple[Example, ...] = Field(min_length=1)
    deprecated: bool = False

    @field_validator("why", "message", "harmless", "advice")
    @classmethod
    def _ends_with_period(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None:
            return None
        text = " ".join(text.split())
        if not text.endswith((".", "?")):
            raise ValueError(f"{info.field_name} must end with a full stop")
        return text

    @model_validator(mode="after")
    def _one_outcome(self) -> Rule:
        if self.harmless and (self.fix or self.ask):
            raise ValueError("`harmless` excludes `fix` and `ask`")
        if self.harmless and self.advice:
            raise ValueError("`harmless` excludes `advice`")
        if self.policy and (self.harmless or not (self.policy.alone or self.severity == "warning" or self.policy.enforced == "changed")):
            raise ValueError("a rule with a `policy` is a warning (the target makes it graver), and not harmless")
        return self

    @property
    def name(self) -> str:
        """The file's stem: id and a few words."""
        return f"{self.id}-{re.sub(r'[^a-z0-9]+', '-', self.title.lower()).strip('-')}"

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The patterns of `kinds` in the words of a page."""
        return tuple(_IN_WORDS.get(pattern, pattern) for pattern in self.kinds)

    def applies_to(self, api_version: str, kind: str) -> bool:
        """Whether the rule looks at objects of this kind. Patterns: `Kind`, `group/Kind`, `group/version/Kind`, `$pods`.

        The group of `v1` is written `core`; `*` and `?` are globs.
        """
        return any(selects(pattern, api_version, kind) for pattern in self.kinds)


_IN_WORDS = {"$pods": "every workload", "aks-copilot.invalid/Never": "the application as a whole"}
"""Patterns that no reader knows; the second is of rules that the program itself reports."""


def selects(pattern: str, api_version: str, kind: str) -> bool:
    """Whether one pattern (see `Rule.applies_to`) means this kind."""
    if pattern == "$pods":
        return kind in POD_SPECS
    group, _, version = api_version.rpartition("/")
    if group == KUSTOMIZE and not pattern.startswith(KUSTOMIZE):
        return False
    *place, wanted = pattern.split("/")
    actual = (group or "core", version)[: len(place)]
    return fnmatch.fnmatchcase(kind, wanted) and all(map(fnmatch.fnmatchcase, actual, place))


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it: a hundred rule files are read at every start of the command line."""


def load_document(path: Path, kind: str) -> Any:
    """A YAML file of the program or of a user. Raises ValidationError naming the file (and line) where it is unreadable."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (safe: see _LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise ValidationError(
            f"{path}{place}: not a readable {kind} file: {getattr(error, 'problem', None) or type(error).__name__}"
        ) from error


def load_rule(path: Path) -> Rule:
    """One rule file. Raises ValidationError with file and reason."""
    try:
        rule = Rule.model_validate(load_document(path, "rule"))
    except SchemaError as error:
        raise ValidationError(f"{path}: {first_problem(error)}") from error
    if not path.stem.startswith(rule.id):
        raise ValidationError(f"{path}: the file name must start with the rule's id {rule.id}")
    return rule


def load_rules(paths: Iterable[Path]) -> list[Rule]:
    """Rules of these files and folders, by id. Raises ValidationError where one is wrong or an id occurs twice."""
    files = [f for p in paths for f in (sorted(p.glob("*.yaml")) if p.is_dir() else [p])]
    rules: dict[str, Rule] = {}
    for file in files:
        rule = load_rule(file)
        if rule.id in rules:
            raise ValidationError(f"{file}: rule {rule.id} is defined twice")
        rules[rule.id] = rule
    return [rules[k] for k in sorted(rules)]


class Rulebook:
    """The rules of a run, by id."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda r: r.id))
        self._for: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def for_kind(self, api_version: str, kind: str) -> tuple[Rule, ...]:
        """The rules that look at this kind; conversions of whole objects come first, since they change what the others see."""
        if (api_version, kind) not in self._for:
            found = [r for r in self.rules if not r.deprecated and r.applies_to(api_version, kind)]
            self._for[api_version, kind] = tuple(sorted(found, key=lambda r: (r.fix is None or r.fix.how != "convert", r.id)))
        return self._for[api_version, kind]


@functools.cache
def built_in() -> tuple[Rule, ...]:
    """The program's own rules, by id (and those that are tried, see `try_rules`)."""
    return tuple(sorted([*(r for r in load_rules([RULES]) if r.id not in _TRIED), *_TRIED.values()], key=lambda r: r.id))


_TRIED: dict[str, Rule] = {}
"""Rules of a user's files while their examples run; one with a built-in id takes its place."""


def try_rules(rules: Iterable[Rule]) -> None:
    """Have these rules count as built in from now on, in place of those tried before."""
    _TRIED.clear()
    _TRIED.update({rule.id: rule for rule in rules})
    built_in.cache_clear()
    by_id.cache_clear()


@functools.cache
def by_id() -> Mapping[str, Rule]:
    """The program's own rules by their id."""
    return {rule.id: rule for rule in built_in()}
