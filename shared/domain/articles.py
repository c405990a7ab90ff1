"""The program's own articles, found by the rules that they explain: no index, no search, and only what is asked for is parsed.

A report names the article of each of its rules, so this must cost a run next to nothing: the heads of the files are read once, as text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from shared.domain.retrieval.passages import Document, document_of

ARTICLES = Path(__file__).parents[1] / "articles"
ArticlesOf = Callable[[str], Sequence[Document]]
"""The articles that explain a rule, by its id."""

_RULE_ID = re.compile(r"\b[A-Z]{2,8}\d{4}\b")


def own_articles(rule_id: str) -> Sequence[Document]:
    """The program's articles that say that they explain a rule, by name."""
    return [d for d in map(_document, _named_in().get(rule_id, ())) if rule_id in d.rules]


def among(documents: Iterable[Document]) -> ArticlesOf:
    """The articles among these documents; those of a team may explain rules too."""
    known = [d for d in documents if d.rules]
    return lambda rule_id: [d for d in known if rule_id in d.rules]


@functools.cache
def _named_in() -> Mapping[str, tuple[Path, ...]]:
    """The files whose head names an id: a guess that the parsed front matter confirms."""
    found: dict[str, list[Path]] = {}
    for path in sorted(ARTICLES.glob("*.md")):
        head = path.read_text(encoding="utf-8").partition("\n---\n")[0]
        for rule_id in set(_RULE_ID.findall(head)):
            found.setdefault(rule_id, []).append(path)
    return {rule_id: tuple(paths) for rule_id, paths in found.items()}


@functools.lru_cache(maxsize=256)
def _document(path: Path) -> Document:
    return document_of(f"articles/{path.name}", path.read_text(encoding="utf-8"))
