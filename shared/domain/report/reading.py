"""What the pages of a run fold away under each rule: one of its places with its lines, and the passage of its article. Once a page."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shared.domain.articles import own_articles
from shared.domain.explain.excerpt import Line, excerpt
from shared.domain.explain.passage import Reading, readings, words_of
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.escape import code_block, link
from shared.domain.report.web import web_links
from shared.domain.rulebook import by_id
from shared.domain.thinker import LOSS_RULE

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Original = Callable[[str], bytes | None]
"""The bytes of a file as it came, by path."""
MAX_BYTES = 1024 * 1024
"""Of a file whose lines are shown: a page is made in a second."""


@functools.cache
def reading_of(rule_id: str) -> Reading | None:
    """The nearest of the program's articles for a rule; None for a rule that has none (a team's own), or that stands for many subjects."""
    rule = by_id().get(rule_id)
    found = readings(own_articles(rule_id), words_of(rule)) if rule and rule_id != LOSS_RULE else []
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Context:
    """What a page folds away under a rule: the lines at the first of its places ("" where there is a diff to look at), and what to read."""

    place: str
    lines: tuple[Line, ...]
    reading: Reading | None

    @property
    def title(self) -> str:
        """What stands on the fold."""
        read = f"{'read' if self.lines else 'Read'} on: {self.reading.title}" if self.reading else ""
        return "; ".join(part for part in (f"In context: {self.place}" if self.lines else "", read) if part)


class Excerpts:
    """The lines around findings, read once for all pages of a run. `original` gives the bytes of a file as it came."""

    def __init__(self, original: Original) -> None:
        self._original = original
        self._made: dict[tuple[str, int, int, str], tuple[Line, ...]] = {}

    def of(self, path: str, violation: Violation) -> tuple[Line, ...]:
        """The lines; none where the file is not at hand or too large."""
        key = (path, violation.line, violation.column, violation.path)
        if key not in self._made:
            data = self._original(path)
            text = data.decode("utf-8-sig", "replace") if data is not None and len(data) <= MAX_BYTES else ""
            self._made[key] = tuple(excerpt(text, violation))
        return self._made[key]


class Contexts:
    """The contexts of one page: each rule's once."""

    def __init__(self, excerpts: Excerpts | None) -> None:
        self._excerpts, self._seen = excerpts, set[str]()

    def first(self, rows: Sequence[tuple[FileOutcome, Violation]]) -> Context | None:
        """The context of a rule's findings where the page shows the rule for the first time and there is anything to show."""
        outcome, violation = rows[0]
        if violation.rule_id in self._seen:
            return None
        self._seen.add(violation.rule_id)
        lines = self._excerpts.of(outcome.path, violation) if self._excerpts and violation.resolution != "fixed" else ()
        reading = reading_of(violation.rule_id)
        return Context(f"{outcome.path}:{violation.line}", lines, reading) if lines or reading else None


def nothing_known(_: str) -> bytes | None:
    """Originals that are not at hand: pages then show no lines of files."""
    return None


def lines_of(context: Context) -> str:
    """The excerpt as text: numbers, a mark at the place, gaps."""
    width, previous, shown = len(str(context.lines[-1].number)), context.lines[0].number - 1, list[str]()
    for line in context.lines:
        shown += [f"  {'...':>{width}}"] if line.number != previous + 1 else []
        shown.append(f"{'>' if line.here else ' '} {line.number:>{width}}  {line.text}".rstrip())
        previous = line.number
    return "\n".join(shown)


def context_md(context: Context) -> Iterator[str]:
    """Markdown lines that fold away where the viewer can. The article is the program's own Markdown and stands as it is."""
    yield from (f"<details><summary>{html.escape(context.title)}</summary>", "")
    if context.lines:
        yield from (*code_block(lines_of(context), ""), "")
    if context.reading:
        for text in filter(None, (context.reading.passage, context.reading.decide)):
            yield from (*text.split("\n"), "")
        pages = (link(url, url) + (f" (read {day})" if day else "") for url, day in context.reading.links)
        yield from (", ".join(pages), "")
    yield from ("</details>", "")


@dataclass(frozen=True, slots=True)
class ContextBlock:
    """A context as report.html shows it: texts are markup that was made here, pages are (address, day)."""

    title: str
    lines: str
    texts: list[Markup]
    commands: list[str]
    pages: list[tuple[str, str]]


def context_html(context: Context) -> ContextBlock:
    """HTML in an article is shown as text, and only links to web pages are links."""
    lines, reading = lines_of(context) if context.lines else "", context.reading
    if reading is None:
        return ContextBlock(context.title, lines, [], [], [])
    texts = [Markup(_markdown().render(text)) for text in (reading.passage, reading.decide) if text]  # noqa: S704 - html is off in the renderer
    commands = [command for command in reading.commands if command not in reading.passage]
    return ContextBlock(context.title, lines, texts, commands, [(url, day) for url, day in reading.links if web_links((url,))])


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only a page pays for it

    return MarkdownIt("commonmark", {"html": False}).enable("table")
