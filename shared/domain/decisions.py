"""Decisions: a team's answers in `.aks-copilot.yaml`, replayed without asking; and the skeleton with the open questions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from shared.domain import decision_file, repository
from shared.domain.convert.base import KEEP, Op, split_decision_key
from shared.domain.decision_keys import GROUPS, Group, wrong_answers
from shared.domain.errors import ValidationError
from shared.domain.model import FileOutcome, Question
from shared.domain.pointer import JsonValue, child
from shared.domain.yaml_lines import line_of

FILE_NAME = decision_file.FILE_NAME
NUMBERS = ("number", "port", "user")
"""Forms of answers that a number is written without quotes in."""
TEXT = Group("")
PLACES_SHOWN = 3
NOTHING: Mapping[str, Any] = MappingProxyType({})
KEEPABLE = ("registries", "storageClasses")
"""Groups whose names AKS may know too: a registry that it reaches, a class that somebody makes there."""


def read_decisions(data: bytes | None) -> dict[str, JsonValue]:
    """The answers of the file, {} where there is none. Raises ValidationError with a line number where one cannot be used."""
    if data is None:
        return {}
    found, text = decision_file.parsed(data)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(k, str) for k in found):
        raise ValidationError(f"{FILE_NAME}: not a mapping of names to answers")
    if found.get("version", 1) != 1:
        raise ValidationError(f"{FILE_NAME}: version {found['version']!r} is not known; this program writes version 1")
    if not isinstance(found.get("source", ""), str):
        raise ValidationError(f"{FILE_NAME}: source is not a name")
    for place, problem in wrong_answers(found):
        raise ValidationError(f"{FILE_NAME}:{line_of(text, place)}: {problem}")
    wrong = repository.parse(found)[1]
    if wrong is not None:
        raise ValidationError(f"{FILE_NAME}:{line_of(text, wrong[0])}: {wrong[1]}")
    try:
        return _kept(dict(json.loads(json.dumps(found))))
    except (TypeError, ValueError) as error:
        raise ValidationError(f"{FILE_NAME}: holds a value that JSON cannot hold") from error


def _kept(answers: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The answers with `keep` written out, where it means the same name again."""
    for group in KEEPABLE:
        given = answers.get(group)
        if isinstance(given, dict):
            answers[group] = {name: name if value == KEEP else value for name, value in given.items()}
    return answers


def answer(decisions: Mapping[str, Any], key: str) -> JsonValue:
    """The answer at a dotted key, or None."""
    value: Any = decisions
    for part in split_decision_key(key):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def places_of(outcomes: Sequence[FileOutcome]) -> dict[str, list[str]]:
    """The files that wait for each answer, by its key."""
    found: dict[str, list[str]] = {}
    for outcome in sorted(outcomes, key=lambda o: o.path):
        for key in dict.fromkeys(q.key for q in outcome.questions):
            found.setdefault(key, []).append(outcome.path)
    return found


def drafts_of(outcomes: Iterable[FileOutcome]) -> dict[str, str]:
    """What a language model would answer to each question, by its key; of several drafts the first. Nobody has taken them."""
    advices = [v.advice for o in sorted(outcomes, key=lambda o: o.path) for v in o.violations if v.advice]
    return {advice.draft.key: advice.draft.value for advice in reversed(advices) if advice.draft}


def open_questions(outcomes: Sequence[FileOutcome]) -> list[Question]:
    """Every question of the run once, in the order of the files."""
    return list(dict.fromkeys(q for o in sorted(outcomes, key=lambda o: o.path) for q in o.questions))


def skeleton(
    source: str, questions: Iterable[Question], places: Mapping[str, Sequence[str]] = NOTHING, drafts: Mapping[str, str] = NOTHING
) -> str:
    """A new decisions file: the recorded source, and every open question as a comment that becomes an answer.

    `places` are the files that wait for each key's answer, `drafts` what a language model would answer.
    """
    lines = [
        "# aks-copilot: this application's answers. Commit this file; an answered question is never asked again.",
        "version: 1",
        f"source: {source}",
    ]
    asked = list(_asked(questions, places, drafts))
    if asked:
        lines += ["", "# Open questions. To answer one, take the `# ` away from its lines and write your value.", *asked]
    return "\n".join(lines) + "\n"


def sample_answers(questions: Iterable[Question], places: Mapping[str, Sequence[str]] = NOTHING) -> str:
    """The lines that answer questions, with the samples as values: what the skeleton has as comments."""
    return "\n".join(line[2:] for line in _asked(questions, places, {})).strip("\n") + "\n"


def _asked(questions: Iterable[Question], places: Mapping[str, Sequence[str]], drafts: Mapping[str, str]) -> Iterator[str]:
    """Every open question as a comment, in its group."""
    groups: dict[str, dict[str, Question]] = {}
    for question in questions:
        parts = split_decision_key(question.key)
        if parts:
            groups.setdefault(parts[0], {}).setdefault(question.key, question)
    for name in sorted(groups):
        yield from ("", f"# {name}:" if len(split_decision_key(next(iter(groups[name])))) > 1 else "#")
        yield from _samples(sorted(groups[name].items()), places, drafts)


def _samples(questions: Iterable[tuple[str, Question]], places: Mapping[str, Sequence[str]], drafts: Mapping[str, str]) -> Iterator[str]:
    """The lines of a group's questions; answers below one name (a Template's parameters) stand under it together."""
    above: list[str] = []
    for key, question in questions:
        parts = split_decision_key(key)
        if len(parts) > 2 and parts[:-1] != above:
            yield from (f"#{'  ' * depth} {json.dumps(part)}:" for depth, part in enumerate(parts[1:-1], 1))
        above = parts[:-1]
        said = question.question + _used(places.get(key, ())) + _drafted(drafts.get(key))
        yield from (f"#{'  ' * (len(parts) - 1)} # {line}" for line in said.splitlines())
        yield _sample(parts, question.example)


def _used(paths: Sequence[str]) -> str:
    """Where an answer is used, as one more line of its comment."""
    more = f" and {len(paths) - PLACES_SHOWN} more" if len(paths) > PLACES_SHOWN else ""
    return f"\nUsed in {', '.join(paths[:PLACES_SHOWN])}{more}." if paths else ""


def _drafted(value: str | None) -> str:
    """A model's draft as one more line of the comment: as JSON, so that nothing in it ends the line."""
    return "" if value is None else f"\nA language model would answer {json.dumps(value)}; nobody has taken it."


def updates(recorded: JsonValue, text: str, source: str, questions: Iterable[Question], drafts: Mapping[str, str] = NOTHING) -> list[Op]:
    """What an existing file (its parsed content, its text) needs: relative operations; answers are never touched.

    New open questions join `open`, answered ones leave it; one that stands in the file as a comment is asked there. One that is
    not asked this time stays: it may be of a part of the application that this run did not see, and a second run changes nothing.
    """
    if not isinstance(recorded, dict):
        return []
    asked = {q.key: _described(q, drafts) for q in reversed(list(questions)) if split_decision_key(q.key) and not _commented(q.key, text)}
    operations = [] if "source" in recorded else [Op("add", "/source", source)]
    listed = recorded.get("open")
    known = listed if isinstance(listed, dict) else {}
    answered = [key for key in known if answer(recorded, key) is not None]
    new = {key: text for key, text in sorted(asked.items()) if key not in known and answer(recorded, key) is None}
    if not known and new:
        return [*operations, Op("replace" if "open" in recorded else "add", "/open", new)]
    if answered and len(answered) == len(known) and not new:
        return [*operations, Op("remove", "/open")]
    operations += [Op("add", child("/open", key), text) for key, text in new.items()]
    return operations + [Op("remove", child("/open", key)) for key in answered]


def _described(question: Question, drafts: Mapping[str, str]) -> str:
    text = " ".join((question.question + _drafted(drafts.get(question.key))).split())
    return f"{text} For example: {question.example}" if question.example else text


def _commented(key: str, text: str) -> bool:
    """Whether the skeleton's sample line of a key stands in a file as a comment, below the name that it belongs to."""
    parts = split_decision_key(key)
    lines = text.splitlines()
    if len(parts) > 2:
        above = f"#{'  ' * (len(parts) - 2)} {json.dumps(parts[-2])}:"
        lines = lines[lines.index(above) + 1 :] if above in lines else []
        lines = list(itertools.takewhile(lambda line: line.startswith(f"#{'  ' * (len(parts) - 1)} "), lines))
    head = _sample(parts, "").partition('""')[0]
    return any(line.startswith(head) for line in lines)


def _sample(parts: list[str], example: str) -> str:
    number = example.isdigit() and GROUPS.get(parts[0], TEXT).form in NUMBERS
    value = example if number else json.dumps(example)
    return f"# {parts[0]}: {value}" if len(parts) == 1 else f"#{'  ' * (len(parts) - 1)} {json.dumps(parts[-1])}: {value}"
