"""Of an article what one rule needs: the passage that speaks of it, what is to be decided, and the commands.

An article explains a subject and several rules share it, so the passage is chosen by the words of the rule: those that few parts of the
article have count most. Long lists and tables give their nearest rows. Texts stay Markdown; whoever shows them renders or escapes it.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import Stemmer

from shared.domain.retrieval.passages import Document, blocks_of
from shared.domain.retrieval.words import words
from shared.domain.rulebook import Rule

ROWS = 4
"""Rows of a list or table that a passage shows where it has more than one above this."""
COMMANDS = 2
"""Blocks of commands: an article has one or two that matter."""

_CODE = "```"
_NOT_READ = "Also described as"
_DECIDE = ("What to decide", "Decide ", "How to choose", "What to do")
_TOOL = re.compile(r"(?:az|helm|kubectl|oc|skopeo|sops)\s")
_CODE_COUNTS = 0.5
"""What words in a block of code count beside prose: a sample says less of why."""
_TITLE = 3.0
"""What a title whose words are all wanted counts beside a passage's score (of one to four)."""
_SMOOTH = 20
"""Words by which a short part does not win by its shortness alone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as one rule needs it."""

    document: Document
    passage: str
    decide: str
    commands: tuple[str, ...]

    @property
    def title(self) -> str:
        """The article's."""
        return self.document.title

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """The article's sources, each with the day on which it was read ("" where unknown)."""
        days = self.document.read or ("",) * len(self.document.links)
        return tuple(zip(self.document.links, days, strict=True))


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of an article, with the paragraph that leads to it (one that ends in a colon)."""

    lead: str
    block: str

    @property
    def text(self) -> str:
        return f"{self.lead}\n\n{self.block}" if self.lead else self.block


def words_of(rule: Rule) -> str:
    """What a rule is about, in its own words."""
    return f"{rule.title} {rule.message} {rule.why} {' '.join(map(str, rule.match.params.values()))}"


def readings(documents: Sequence[Document], query: str) -> list[Reading]:
    """The articles as a text's words choose their passages, the one that speaks most of it first."""
    wanted = _stems(query)
    made = [_read(document, wanted) for document in documents]
    return [reading for _, reading in sorted(made, key=lambda row: -row[0])]


def _read(document: Document, wanted: frozenset[str]) -> tuple[float, Reading]:
    parts = list(_parts(document.text))
    scores = _scores([part.text for part in parts], wanted)
    best = max(range(len(parts)), key=lambda n: scores[n] * (_CODE_COUNTS if parts[n].block.startswith(_CODE) else 1), default=None)
    chosen = parts[best] if best is not None else _Part("", "")
    decide = next((p.text for start in _DECIDE for p in parts if p.text.startswith(start)), "")
    passage = _shortened(chosen, wanted)
    reading = Reading(document, passage, "" if decide == chosen.text else decide, tuple(_commands(parts)))
    titled = len(wanted & _stems(document.title)) / (1 + len(_stems(document.title)))
    return (scores[best] if best is not None else 0.0) + _TITLE * titled, reading


def _parts(text: str) -> Iterator[_Part]:
    lead = ""
    for block in blocks_of(text):
        if block.startswith(_NOT_READ):
            continue
        if block.rstrip().endswith(":") and not block.startswith((_CODE, "|")):
            lead = f"{lead}\n\n{block}" if lead else block
        else:
            yield _Part(lead, block)
            lead = ""
    if lead:
        yield _Part("", lead)


def _scores(texts: Sequence[str], wanted: frozenset[str]) -> list[float]:
    """How much each text speaks of the wanted words; a word that all of them have says little."""
    found = [_stems(text) for text in texts]
    spread = Counter(word for stems in found for word in stems)
    return [
        sum(math.log(1 + len(texts) / spread[word]) for word in stems & wanted) / math.sqrt(_SMOOTH + len(text.split()))
        for stems, text in zip(found, texts, strict=True)
    ]


def _shortened(part: _Part, wanted: frozenset[str]) -> str:
    """A long list or table with its lead and the rows nearest to the words; other parts whole."""
    head, rows = _rows(part.block)
    if len(rows) <= ROWS + 1:
        return part.text
    scores = _scores(rows, wanted)
    nearest = sorted(sorted(range(len(rows)), key=lambda n: -scores[n])[:ROWS])
    shown = "\n".join([*head, *(rows[n] for n in nearest)])
    return f"{part.lead}\n\n{shown}" if part.lead else shown


def _rows(block: str) -> tuple[list[str], list[str]]:
    """Head and rows of a table or list; no rows where the block is neither."""
    lines = block.split("\n")
    if block.startswith("|"):
        return lines[:2], lines[2:]
    if not block.startswith("- "):
        return lines, []
    return [], re.split(r"\n(?=- )", block)


def _commands(parts: Sequence[_Part]) -> Iterator[str]:
    """The first blocks of code that a shell runs."""
    code = (part.block.removeprefix(_CODE).removesuffix(_CODE).strip() for part in parts if part.block.startswith(f"{_CODE}\n"))
    yield from [text for text in code if _TOOL.match(text)][:COMMANDS]


def _stems(text: str) -> frozenset[str]:
    return frozenset(_stemmer().stemWords(words(text)))


@functools.cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
