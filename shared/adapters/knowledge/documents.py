"""Where the documents of the knowledge base come from: the program's articles and rules, and those of a team's folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from shared.domain.articles import ARTICLES
from shared.domain.errors import ValidationError
from shared.domain.knowledge import belongs as is_knowledge
from shared.domain.knowledge import parsed
from shared.domain.retrieval.passages import Document, document_of, document_of_rule
from shared.domain.rulebook import Rule, built_in

PDF = ".pdf"
SUFFIXES = (".md", ".markdown", ".txt", PDF)
BESIDE = ("", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
"""Pictures of an article, and names without an ending (LICENSE, the entry of a folder): nobody means them as articles."""
MAX_BYTES = 4 * 1024 * 1024
"""Of one text file of a team."""
MAX_PDF_BYTES = 20 * 1024 * 1024
"""Of one PDF: pictures are most of it."""


class Files:
    """A Library: the program's articles and rules, and a team's files of articles/ (with its subfolders) and rules/."""

    max_bytes = MAX_PDF_BYTES

    def shipped(self) -> tuple[Document, ...]:
        """See Library."""
        return _shipped()

    def belongs(self, name: str) -> bool:
        """See Library: what is not hidden, also of a form that cannot be read, so that it is named; and rule files."""
        path = PurePosixPath(name)
        if path.parts[:1] == ("articles",):
            return path.suffix.lower() not in BESIDE and not any(part.startswith(".") for part in path.parts)
        return path.parts[:1] == ("rules",) and is_knowledge(name)

    def read(self, name: str, data: bytes) -> Document:
        """See Library."""
        if name.startswith("rules/"):
            return document_of_rule(parsed(name, _text(name, data), Rule))
        if not name.lower().endswith(SUFFIXES):
            raise ValidationError(f"{name}: no article: neither text (.md, .txt) nor .pdf")
        return document_of(name, _pdf(name, data) if name.lower().endswith(PDF) else _text(name, data))


@dataclass(frozen=True, slots=True)
class Collected:
    """Documents, and a line for each file that could be none."""

    documents: list[Document]
    problems: list[str]


def collected(folder: Path | None = None) -> Collected:
    """The program's articles and rules, and those of a team's folder, which take the place of ours of the same name or id.

    Raises ValidationError where there is no such folder, or it holds none.
    """
    team = _of_team(folder) if folder else Collected([], [])
    return Collected(list({document.name: document for document in [*_shipped(), *team.documents]}.values()), team.problems)


def documents(folder: Path | None = None) -> list[Document]:
    """The same; raises ValidationError where a file cannot be used, too."""
    found = collected(folder)
    if found.problems:
        raise ValidationError(found.problems[0])
    return found.documents


@cache
def _shipped() -> tuple[Document, ...]:
    own = [document_of(f"articles/{path.name}", path.read_text(encoding="utf-8")) for path in sorted(ARTICLES.glob("*.md"))]
    return (*own, *map(document_of_rule, built_in()))


def _of_team(folder: Path) -> Collected:
    """Links are not followed out of the folder."""
    if not folder.is_dir():
        raise ValidationError(f"{folder}: no such folder")
    found: dict[str, Document] = {}
    problems: list[str] = []
    for path in sorted(path for part in ("articles", "rules") for path in (folder / part).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if Files().belongs(name) and path.is_file() and not path.is_symlink():
            try:
                document = _opened(name, path)
            except ValidationError as error:
                problems.append(str(error))
                continue
            if found.setdefault(document.name, document) is not document:
                problems.append(f"{name}: another file is {document.name} already")
    if not found and not problems:
        raise ValidationError(f"{folder}: holds no articles/**/*.md, *.txt, *.pdf or rules/*.yaml")
    return Collected(list(found.values()), problems)


def _opened(name: str, path: Path) -> Document:
    try:
        if path.stat().st_size > MAX_PDF_BYTES:
            raise ValidationError(f"{name}: larger than {MAX_PDF_BYTES // 1024 // 1024} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ValidationError(f"{name}: {error.strerror}") from error
    return Files().read(name, data)


def _text(name: str, data: bytes) -> str:
    _bounded(name, data, MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(f"{name}: not UTF-8 text") from error
    if "\x00" in text:
        raise ValidationError(f"{name}: not text (it holds NUL characters)")
    return text


def _pdf(name: str, data: bytes) -> str:
    from shared.adapters.knowledge.pdf import markdown_of  # noqa: PLC0415 - few teams keep PDFs

    _bounded(name, data, MAX_PDF_BYTES)
    return markdown_of(name, data)


def _bounded(name: str, data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise ValidationError(f"{name}: larger than {limit // 1024 // 1024} MiB")
