"""The text of a PDF (pypdf). A file of a stranger: its pages, its text and the time that it may take are bounded."""

from __future__ import annotations

import io
import logging
import re
import time
from pathlib import PurePosixPath

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, WrongPasswordError

from shared.domain.errors import ValidationError

MAX_PAGES = 1000
MAX_TEXT = 4 * 1024 * 1024
"""Characters of all pages together."""
MAX_SECONDS = 60.0
"""For one file, looked at after each page."""

_HASHES = re.compile(r"^(?=#)", re.MULTILINE)
_LOCKED = (FileNotDecryptedError, WrongPasswordError, DependencyError)


def markdown_of(name: str, data: bytes) -> str:
    """The text of a PDF as Markdown, a heading per page, first its own title, else the file's name.

    Raises ValidationError in one line where it is broken, encrypted, too large, or holds no text (a scan).
    """
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells of every oddity of a file
    try:
        return _read(name, PdfReader(io.BytesIO(data)))
    except ValidationError:
        raise
    except _LOCKED as error:
        raise ValidationError(f"{name}: the PDF is encrypted") from error
    except Exception as error:  # a hostile or broken file brings out any error of the library
        raise ValidationError(f"{name}: cannot be read as a PDF ({type(error).__name__})") from error


def _read(name: str, reader: PdfReader) -> str:
    if len(reader.pages) > MAX_PAGES:
        raise ValidationError(f"{name}: has more than {MAX_PAGES} pages")
    title = " ".join(str((reader.metadata and reader.metadata.title) or PurePosixPath(name).stem).split())
    parts, size, started = [f"# {title}"], 0, time.monotonic()
    for number, page in enumerate(reader.pages, 1):
        text = _HASHES.sub(" ", page.extract_text().replace("\x00", "").strip())  # a shell comment is no heading
        parts += [f"## Page {number}", text] if text else []
        size += len(text)
        if size > MAX_TEXT or time.monotonic() - started > MAX_SECONDS:
            raise ValidationError(f"{name}: holds too much text, or takes too long to read: cut it into smaller files")
    if not size:
        raise ValidationError(f"{name}: holds no text (a scan?)")
    return "\n\n".join(parts)
