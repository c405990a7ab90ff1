"""What a run knows besides the program's own rules, profiles and targets: a team's files, frozen with the run.

They come from a folder (`--knowledge DIR`) or the container `knowledge`, both with rules/, profiles/ and targets/. A file with the id or
name of a built-in one takes its place. Their texts are part of the RunSetup, so that every stage and every replay sees the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem
from shared.domain.rulebook import Rule, Rulebook, built_in
from shared.domain.target import Profile, merged_target, profiles
from shared.domain.yaml_lines import line_of

FOLDERS = ("rules", "profiles", "targets")
MAX_BYTES = 1024 * 1024
"""All files together; they travel with the setup of every run."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The rules, profiles (by name) and target files (content by name) of a run; `own` are the team's rules with their files."""

    rulebook: Rulebook
    profiles: Mapping[str, Profile]
    targets: Mapping[str, Mapping[str, Any]]
    own: tuple[tuple[str, Rule], ...] = ()


def belongs(path: str) -> bool:
    """Whether a path (relative, POSIX) of the folder or container is a knowledge file."""
    folder, _, name = path.partition("/")
    return folder in FOLDERS and "/" not in name and not name.startswith(".") and name.endswith((".yaml", ".yml"))


def decoded(files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Texts by path. Raises ValidationError where one is no UTF-8 or all are too large."""
    texts: dict[str, str] = {}
    for path, data in files:
        try:
            texts[path] = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValidationError(f"knowledge: {path}:{1 + data[: error.start].count(10)}: not UTF-8 text") from error
    if sum(map(len, texts.values())) > MAX_BYTES:
        raise ValidationError(f"knowledge: rules, profiles and targets are larger than {MAX_BYTES // 1024} KiB together")
    return texts


def knowledge_of(texts: Mapping[str, str]) -> Knowledge:
    """The knowledge of these texts by path, with the program's own. Raises ValidationError with file, line and reason in one line."""
    return _read(tuple(sorted(texts.items())), built_in())


def _read(texts: tuple[tuple[str, str], ...], own: tuple[Rule, ...]) -> Knowledge:
    held = _LAST.get(texts)
    if held is None or held[0] is not own:
        if len(_LAST) >= KEPT:
            _LAST.clear()
        held = _LAST[texts] = (own, _knowledge(texts, own))
    return held[1]


KEPT = 4
_LAST: dict[tuple[tuple[str, str], ...], tuple[tuple[Rule, ...], Knowledge]] = {}


def _knowledge(texts: tuple[tuple[str, str], ...], own: tuple[Rule, ...]) -> Knowledge:
    rules: dict[str, tuple[str, Rule]] = {}
    known, targets = dict(profiles()), {}
    for path, text in texts:
        folder, stem = path.partition("/")[0], path.rpartition("/")[2].rpartition(".")[0]
        if folder == "rules":
            rule = parsed(path, text, Rule)
            if not stem.startswith(rule.id):
                raise ValidationError(f"knowledge: {path}:{line_of(text, ['id'])}: the file name must start with the rule's id {rule.id}")
            if rule.id in rules:
                raise ValidationError(f"knowledge: {path}:{line_of(text, ['id'])}: {rules[rule.id][0]} defines rule {rule.id} already")
            rules[rule.id] = (path, rule)
        elif folder == "profiles":
            known[stem] = parsed(path, text, Profile)
            if known[stem].name != stem:
                raise ValidationError(f"knowledge: {path}:{line_of(text, ['name'])}: the name must be that of the file, {stem}")
        else:
            targets[stem] = _target(path, text)
    book = Rulebook([*(r for r in own if r.id not in rules), *(rule for _, rule in rules.values())])
    return Knowledge(book, known, targets, tuple(rules.values()))


def parsed(path: str, text: str, model: type[Model]) -> Model:
    """One file as its model. Raises ValidationError with file, line and the first problem."""
    try:
        return model.model_validate(_loaded(path, text))
    except SchemaError as error:
        raise ValidationError(_placed(path, text, error)) from error


def _placed(path: str, text: str, error: SchemaError) -> str:
    return f"knowledge: {path}:{line_of(text, error.errors()[0]['loc'])}: {first_problem(error)}"


def _loaded(path: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "unreadable"
        raise ValidationError(f"knowledge: {path}:{mark.line + 1 if mark else 1}: not YAML: {reason}") from error


def _target(path: str, text: str) -> Mapping[str, Any]:
    given = _loaded(path, text)
    if not isinstance(given, dict):
        raise ValidationError(f"knowledge: {path}:1: not a mapping")
    try:
        merged_target(given)
    except SchemaError as error:
        raise ValidationError(_placed(path, text, error)) from error
    return given
