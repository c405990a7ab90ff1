"""A file's text cut into its documents, and whole documents put in, taken out or rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from shared.domain.editor import render
from shared.domain.editor.page import Page, open_page
from shared.domain.editor.splices import column, content_end, eol_at, line_start, line_stop
from shared.domain.editor.style import Style
from shared.domain.errors import EditRefused
from shared.domain.manifest import Manifest
from shared.domain.pointer import JsonValue


@dataclass(slots=True)
class Chunk:
    """One document's text from its `---` on; `trailing` are empty documents between it and the next one that counts."""

    text: str
    trailing: str = ""


@dataclass(slots=True)
class Chunks:
    """The whole text in order: `prefix` is what stands before the first document that counts."""

    prefix: str
    documents: list[Chunk]
    style: Style
    is_json: bool

    @classmethod
    def of(cls, manifest: Manifest, style: Style) -> Chunks:
        """Cuts up a file."""
        text, documents = manifest.text, manifest.documents
        starts = [0 if manifest.is_json else line_start(text, d.root.start) for d in documents] + [len(text)]
        chunks = [Chunk(text[a : d.end], text[d.end : b]) for d, (a, b) in zip(documents, pairwise(starts), strict=True)]
        return cls(text[: starts[0]], chunks, style, manifest.is_json)

    @property
    def text(self) -> str:
        """Everything put together again."""
        return self.prefix + "".join(chunk.text + chunk.trailing for chunk in self.documents)

    def page(self, index: int) -> Page:
        """A document opened for an edit."""
        self._check(index)
        return open_page(self.documents[index].text, self.style, is_json=self.is_json)

    def remove(self, index: int) -> None:
        """Takes out a document with its `---`; what stands above the first one stays."""
        self._check(index)
        removed = self.documents.pop(index)
        if index:
            self.documents[index - 1].trailing += removed.trailing
        else:
            self.prefix += removed.trailing

    def add(self, index: int, value: JsonValue) -> None:
        """Puts a document in before the one at `index`, or at the end."""
        if self.is_json:
            raise EditRefused("a JSON file holds one document only")
        if not 0 <= index <= len(self.documents):
            raise EditRefused("the path is not there")
        eol = eol_at(self.text, 0, self.style.eol)
        if index == len(self.documents):
            self._append(value, eol)
            return
        body = eol.join(_body(value, self.style))
        if self.documents[index].text.startswith("---"):
            self.documents.insert(index, Chunk(f"---{eol}{body}{eol}"))
        else:
            self.documents[0].text = f"---{eol}{self.documents[0].text}"
            self.documents.insert(0, Chunk(body + eol))

    def _append(self, value: JsonValue, eol: str) -> None:
        ended = not self.text or self.text.endswith("\n")
        body = eol.join(_body(value, self.style, literal=ended))
        if not ended:
            self._end_line(eol)
        start = f"---{eol}" if self.documents else ""
        self.documents.append(Chunk(start + body + (eol if ended else "")))

    def _end_line(self, eol: str) -> None:
        if not self.documents:
            self.prefix += eol
        elif self.documents[-1].trailing:
            self.documents[-1].trailing += eol
        else:
            self.documents[-1].text += eol

    def replace(self, index: int, value: JsonValue) -> None:
        """Rewrites a document's body; its `---` line and the comments above and below it stay."""
        if not isinstance(value, dict | list) or not value:
            raise EditRefused("a document can only be replaced by a mapping or a sequence with content")
        page = self.page(index)
        text = page.text
        start, stop = page.root.start, line_stop(text, content_end(text, page.root))
        if self.is_json:
            body = render.json_text(value, self.style, "", eol_at(text, 0, self.style.eol))
        else:
            body = eol_at(text, 0, self.style.eol).join(_body(value, self.style, literal=text.endswith("\n")))
            start -= column(text, start)
        self.documents[index].text = text[:start] + body + text[stop:]

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self.documents):
            raise EditRefused("the path is not there")


def _body(value: JsonValue, style: Style, *, literal: bool = True) -> list[str]:
    header, lines = render.block(value, 0, style, literal=literal)
    return [header] if header else lines
