"""What the pages of a run give to read for each rule: the passage of its article, once, so that a page of many findings stays readable."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from shared.domain.articles import own_articles
from shared.domain.explain.passage import Reading, readings, words_of
from shared.domain.report.escape import link
from shared.domain.report.web import web_links
from shared.domain.rulebook import by_id
from shared.domain.thinker import LOSS_RULE

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@functools.cache
def reading_of(rule_id: str) -> Reading | None:
    """The nearest of the program's articles for a rule; None for a rule that has none (a team's own), or that stands for many subjects."""
    rule = by_id().get(rule_id)
    found = readings(own_articles(rule_id), words_of(rule)) if rule and rule_id != LOSS_RULE else []
    return found[0] if found else None


class Told:
    """The rules of a page whose article was shown already."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def first(self, rule_id: str) -> Reading | None:
        """The article of a rule where the page shows the rule for the first time; None after that."""
        if rule_id in self._seen:
            return None
        self._seen.add(rule_id)
        return reading_of(rule_id)


def reading_md(reading: Reading) -> Iterator[str]:
    """Markdown lines that fold away where the viewer can. The article is the program's own Markdown and stands as it is."""
    yield from (f"<details><summary>Read on: {html.escape(reading.title)}</summary>", "")
    for text in filter(None, (reading.passage, reading.decide)):
        yield from (*text.split("\n"), "")
    pages = (link(url, url) + (f" (read {day})" if day else "") for url, day in reading.links)
    yield from (", ".join(pages), "", "</details>", "")


@dataclass(frozen=True, slots=True)
class ReadingBlock:
    """An article's part as report.html shows it: texts are markup that was made here, pages are (address, day)."""

    title: str
    texts: list[Markup]
    commands: list[str]
    pages: list[tuple[str, str]]


def reading_html(reading: Reading) -> ReadingBlock:
    """Passage and decision as markup; HTML in an article is shown as text, and only links to web pages are links."""
    texts = [Markup(_markdown().render(text)) for text in (reading.passage, reading.decide) if text]  # noqa: S704 - html is off in the renderer
    commands = [command for command in reading.commands if command not in reading.passage]
    return ReadingBlock(reading.title, texts, commands, [(url, day) for url, day in reading.links if web_links((url,))])


@functools.cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only a page pays for it

    return MarkdownIt("commonmark", {"html": False}).enable("table")
