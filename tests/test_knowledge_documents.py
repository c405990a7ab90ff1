"""What a team puts into the knowledge base: Markdown, text and PDF without any form of ours, or one clear line why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from knowledge_support import pdf_of

from shared.adapters.knowledge import pdf
from shared.adapters.knowledge.documents import MAX_PDF_BYTES, Files, documents
from shared.cli.local import knowledge_in, options_for
from shared.domain.errors import ValidationError
from shared.domain.retrieval.passages import passages_of


def test_a_pdf_is_read_page_by_page_and_a_shell_comment_is_no_heading() -> None:
    found = Files().read("articles/On call.PDF", pdf_of("Call the zebra team.", "# kubectl get pods", title="Night  shift"))
    assert found.title == "Night shift"
    assert [(p.heading, p.text.strip()) for p in passages_of(found)] == [
        ("Page 1", "Call the zebra team."),
        ("Page 2", "# kubectl get pods"),
    ]


def test_a_pdf_without_a_title_is_called_by_its_file() -> None:
    assert Files().read("articles/deep/on-call.pdf", pdf_of("Zebra")).title == "on-call"


def test_a_pdf_that_anybody_may_open_is_read() -> None:
    assert "Zebra" in Files().read("articles/a.pdf", pdf_of("Zebra", password="")).text


BROKEN = {
    "no PDF at all": (b"\x89PNG", "cannot be read as a PDF"),
    "empty": (b"", "cannot be read as a PDF"),
    "cut off": (pdf_of("Zebra")[:200], "cannot be read as a PDF"),
    "encrypted": (pdf_of("Zebra", password="sesame"), "the PDF is encrypted"),
    "a scan": (pdf_of("", ""), "holds no text"),
    "no page": (pdf_of(), "holds no text"),
    "too large": (b"%PDF-" + bytes(MAX_PDF_BYTES), "larger than 20 MiB"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_pdf_that_cannot_be_used_is_refused_in_one_line(kind: str) -> None:
    data, reason = BROKEN[kind]
    with pytest.raises(ValidationError) as error:
        Files().read("articles/a.pdf", data)
    assert str(error.value).startswith("articles/a.pdf: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pdf_is_bounded_in_pages_text_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf_of("Zebra", "Zebra")
    for limit in ("MAX_PAGES", "MAX_TEXT", "MAX_SECONDS"):
        with monkeypatch.context() as patch:
            patch.setattr(pdf, limit, 1 if limit != "MAX_SECONDS" else -1.0)
            with pytest.raises(ValidationError, match=r"more than 1 pages|too much text"):
                Files().read("articles/a.pdf", data)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="NUL"):
        Files().read("articles/a.txt", b"a\x00b")
    with pytest.raises(ValidationError, match="not UTF-8"):
        Files().read("articles/a.md", "Zebra".encode("utf-16"))


def test_articles_are_visible_texts_and_pdfs_below_articles() -> None:
    assert all(map(Files().belongs, ("articles/a.md", "articles/deep/er/b.TXT", "articles/c.pdf")))
    assert not any(map(Files().belongs, ("a.md", "rules/a.md", "articles/.a.md", "articles/.git/a.md", "articles/a.png", "articles", "")))
    assert all(map(Files().belongs, ("articles/prog.exe", "articles/deep/Runbook.DOCX")))  # to be named as not used
    assert not any(map(Files().belongs, ("articles/LICENSE", "articles/deep", "articles/A.PNG", "articles/.git/x.exe")))


def test_a_folder_of_articles_alone_is_knowledge_for_every_command(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "zebra.pdf").write_bytes(pdf_of("Feed the zebrafish at noon."))
    assert options_for(tmp_path, "auto", None, tmp_path).knowledge == {}
    assert "articles/zebra.pdf" in {d.name for d in documents(tmp_path)}
    (tmp_path / "articles" / "zebra.pdf").unlink()
    (tmp_path / "articles").rmdir()
    with pytest.raises(ValidationError, match=r"or articles/$"):
        knowledge_in(tmp_path)
