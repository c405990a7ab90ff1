"""Where the documents of the knowledge base come from: the program's articles and rules, and those of a team's folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

from shared.domain.errors import ValidationError
from shared.domain.knowledge import belongs, decoded, knowledge_of
from shared.domain.retrieval.passages import Document, document_of, document_of_rule
from shared.domain.rulebook import built_in

ARTICLES = Path(__file__).parents[2] / "articles"
PDF = ".pdf"
SUFFIXES = (".md", ".markdown", ".txt", PDF)
MAX_BYTES = 4 * 1024 * 1024
"""Of one text file of a team."""
MAX_PDF_BYTES = 20 * 1024 * 1024
"""Of one PDF: pictures are most of it."""


def documents(folder: Path | None = None) -> list[Document]:
    """The program's articles and rules, and those of `folder` (articles/ with its subfolders, rules/), which take the place of ours of the
    same name or id. Raises ValidationError where one cannot be used or the folder holds none."""
    return list({document.name: document for document in [*shipped(), *(_of_team(folder) if folder else ())]}.values())


@cache
def shipped() -> tuple[Document, ...]:
    """The program's own articles and rules."""
    own = [document_of(f"articles/{path.name}", path.read_text(encoding="utf-8")) for path in sorted(ARTICLES.glob("*.md"))]
    return (*own, *map(document_of_rule, built_in()))


def is_article(name: str) -> bool:
    """Whether a path (relative, POSIX) of a team's folder or container is an article: a text or PDF that is not hidden."""
    path = PurePosixPath(name)
    return path.parts[:1] == ("articles",) and path.suffix.lower() in SUFFIXES and not any(p.startswith(".") for p in path.parts)


def document(name: str, data: bytes) -> Document:
    """One article of a team. Raises ValidationError in one line where it is too large, no UTF-8 text, or a PDF that cannot be read."""
    pdf = PurePosixPath(name).suffix.lower() == PDF
    limit = MAX_PDF_BYTES if pdf else MAX_BYTES
    if len(data) > limit:
        raise ValidationError(f"{name}: larger than {limit // 1024 // 1024} MiB")
    if pdf:
        from shared.adapters.knowledge.pdf import markdown_of  # noqa: PLC0415 - few teams keep PDFs

        return document_of(name, markdown_of(name, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(f"{name}: not UTF-8 text") from error
    if "\x00" in text:
        raise ValidationError(f"{name}: not text (it holds NUL characters)")
    return document_of(name, text)


def _of_team(folder: Path) -> list[Document]:
    if not folder.is_dir():
        raise ValidationError(f"{folder}: no such folder")
    found = [document(path.relative_to(folder).as_posix(), path.read_bytes()) for path in _articles(folder)]
    rules = [path for path in sorted((folder / "rules").glob("*")) if belongs(f"rules/{path.name}")]
    texts = decoded((f"rules/{path.name}", path.read_bytes()) for path in rules)
    found += [document_of_rule(rule) for _, rule in knowledge_of(texts).own]
    if not found:
        raise ValidationError(f"{folder}: holds no articles/**/*.md, *.txt, *.pdf or rules/*.yaml")
    return found


def _articles(folder: Path) -> list[Path]:
    """Links are not followed out of the folder."""
    paths = [path for path in sorted((folder / "articles").rglob("*")) if is_article(path.relative_to(folder).as_posix())]
    return [path for path in paths if path.is_file() and not path.is_symlink()]
