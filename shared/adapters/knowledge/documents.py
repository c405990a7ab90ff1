"""Where the documents of the knowledge base come from: the program's articles and rules, and those of a team's folder."""

from __future__ import annotations

from pathlib import Path

from shared.domain.errors import ValidationError
from shared.domain.knowledge import belongs, decoded, knowledge_of
from shared.domain.retrieval.passages import Document, document_of, document_of_rule
from shared.domain.rulebook import built_in

ARTICLES = Path(__file__).parents[2] / "articles"
SUFFIXES = (".md", ".markdown", ".txt")
MAX_BYTES = 4 * 1024 * 1024
"""Of one file of a team."""


def documents(folder: Path | None = None) -> list[Document]:
    """The program's articles and rules, and those of `folder` (articles/ with its subfolders, rules/), which take the place of ours of the
    same name or id. Raises ValidationError where one cannot be used or the folder holds none."""
    own = [document_of(f"articles/{path.name}", path.read_text(encoding="utf-8")) for path in sorted(ARTICLES.glob("*.md"))]
    ours = [*own, *map(document_of_rule, built_in())]
    return list({document.name: document for document in [*ours, *(_of_team(folder) if folder else ())]}.values())


def document(name: str, data: bytes) -> Document:
    """One file of a team. Raises ValidationError where it is too large or no UTF-8 text."""
    if len(data) > MAX_BYTES:
        raise ValidationError(f"{name}: larger than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        return document_of(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValidationError(f"{name}: not UTF-8 text") from error


def _of_team(folder: Path) -> list[Document]:
    if not folder.is_dir():
        raise ValidationError(f"{folder}: no such folder")
    found = [document(path.relative_to(folder).as_posix(), path.read_bytes()) for path in _articles(folder)]
    rules = [path for path in sorted((folder / "rules").glob("*")) if belongs(f"rules/{path.name}")]
    texts = decoded((f"rules/{path.name}", path.read_bytes()) for path in rules)
    found += [document_of_rule(rule) for _, rule in knowledge_of(texts).own]
    if not found:
        raise ValidationError(f"{folder}: holds no articles/**/*.md, *.txt or rules/*.yaml")
    return found


def _articles(folder: Path) -> list[Path]:
    """Text files that are not hidden; links are not followed out of the folder."""
    paths = [path for path in sorted((folder / "articles").rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    return [path for path in paths if not path.is_symlink() and not any(p.startswith(".") for p in path.relative_to(folder).parts)]
