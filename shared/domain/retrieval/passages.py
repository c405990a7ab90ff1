"""Documents of the knowledge base cut into passages: the pieces that are found, shown and given to a model.

A document is an article of the program, a rule, or a file of the team (Markdown or plain text). Markdown is cut at its headings, and
what is longer than MAX_WORDS at paragraphs, never inside a fenced block.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import yaml

from shared.domain.errors import ValidationError
from shared.domain.rulebook import Rule

MAX_WORDS = 400
"""Of one passage: a model is given several of them."""

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML has it: a report reads the heads of many articles."""
_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")


@dataclass(frozen=True, slots=True)
class Document:
    """One document: `name` is its path in the knowledge base (`articles/<slug>.md`, `rules/<id>`), `rules` are ids that it explains."""

    name: str
    title: str
    text: str
    links: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    """The day on which each of the links was read (ISO 8601), "" where that is not said."""

    @property
    def slug(self) -> str:
        """The name without folder and suffix."""
        return PurePosixPath(self.name).stem

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it: another digest is another document."""
        return hashlib.sha256(repr((self.title, self.text, self.links, self.rules)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document. `source` is where a person reads on: the document's first link, else its name; `rules` are ids it explains."""

    document: str
    slug: str
    title: str
    heading: str
    text: str
    source: str
    rules: tuple[str, ...] = ()

    @property
    def searchable(self) -> str:
        """What is indexed: the file's name, the title and the heading say what the text is about."""
        return "\n".join(part for part in (self.slug.replace("-", " "), self.title, self.heading, self.text) if part)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Passage:
        return cls(**{**value, "rules": tuple(value["rules"])})


def document_of(name: str, text: str) -> Document:
    """A Markdown or text file. Front matter (title, rules, sources) may be absent. Raises ValidationError where it is no YAML."""
    matter, body = _front_matter(name, text)
    given = matter.get("title")
    heading = next((m[1] for line in body.splitlines() if (m := _HEADING.match(line))), PurePosixPath(name).stem)
    title = str(given) if isinstance(given, str | int | float) and given else heading
    links = {_url(source): _day(source) for source in _items(matter, "sources") if _url(source)}
    rules = tuple(rule for rule in _items(matter, "rules") if isinstance(rule, str))
    return Document(name, " ".join(title.split()), body.strip(), tuple(links), rules, tuple(links.values()))


def document_of_rule(rule: Rule) -> Document:
    """A rule in words: what is wrong, why, what to do."""
    parts = (rule.why, rule.message, rule.advice or "", rule.harmless or "", rule.ask.question if rule.ask else "")
    return Document(f"rules/{rule.id}.yaml", f"{rule.id} {rule.title}", "\n\n".join(p for p in parts if p), rule.links, (rule.id,))


def passages_of(document: Document) -> tuple[Passage, ...]:
    """The document's passages in its order; one of its title alone where it has no text."""
    source = document.links[0] if document.links else document.name
    pieces = [(heading, piece) for heading, text in _sections(document.text) for piece in _pieces(text)] or [("", "")]
    return tuple(
        Passage(document.name, document.slug, document.title, h if h != document.title else "", t, source, document.rules)
        for h, t in pieces
    )


def _front_matter(name: str, text: str) -> tuple[Mapping[str, Any], str]:
    """What is no mapping between two lines of dashes is text: a text may begin with a thematic break."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    head, found, body = text.removeprefix("---\n").partition("\n---\n")
    if not text.startswith("---\n") or not found:
        return {}, text
    try:
        matter = yaml.load(head, Loader=_LOADER)  # noqa: S506 (safe: see _LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValidationError(f"{name}: its front matter is no YAML") from error
    return (matter, body) if isinstance(matter, dict) else ({}, text)


def _items(matter: Mapping[str, Any], key: str) -> list[Any]:
    value = matter.get(key)
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _url(source: Any) -> str:
    """Of a source, which is an address or a mapping with one; aliases could make the text of anything else endless."""
    value = source.get("url") if isinstance(source, dict) else source
    return value if isinstance(value, str) else ""


def _day(source: Any) -> str:
    value = source.get("read") if isinstance(source, dict) else ""
    return str(value) if isinstance(value, date | str) else ""


def blocks_of(text: str) -> Iterator[str]:
    """Headings (one line), paragraphs, and fenced blocks whole."""
    block: list[str] = []
    fenced = False
    for line in text.splitlines():
        alone = not fenced and (not line.strip() or _HEADING.match(line) is not None)
        if alone and block:
            yield "\n".join(block)
            block = []
        if alone and line.strip():
            yield line
        elif not alone:
            block.append(line)
            fenced ^= _FENCE.match(line) is not None
    if block:
        yield "\n".join(block)


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    heading, blocks = "", list[str]()
    for block in blocks_of(text):
        match = _HEADING.match(block)
        if match is None:
            blocks.append(block)
            continue
        if blocks:
            yield heading, blocks
        heading, blocks = match[1], []
    if blocks:
        yield heading, blocks


def _pieces(blocks: list[str]) -> Iterator[str]:
    """Paragraphs together up to MAX_WORDS; one that is longer by itself is cut between words."""
    held: list[str] = []
    size = 0
    for block in blocks:
        words = len(block.split())
        if held and size + words > MAX_WORDS:
            yield "\n\n".join(held)
            held, size = [], 0
        if words > MAX_WORDS:
            yield from _cut(block)
        else:
            held.append(block)
            size += words
    if held:
        yield "\n\n".join(held)


def _cut(block: str) -> Iterator[str]:
    places = [m.start() for m in re.finditer(r"\S+", block)][::MAX_WORDS]
    for start, end in zip(places, [*places[1:], len(block)], strict=True):
        yield block[start:end].rstrip()
