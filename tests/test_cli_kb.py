"""`aks-copilot kb`: an index in a folder that follows what changed, and a bad file that keeps nothing else out."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_process import aks_copilot
from knowledge_support import pdf_of

from shared.adapters.knowledge import local
from shared.adapters.knowledge.documents import MAX_PDF_BYTES, collected, documents
from shared.domain.errors import ValidationError


@pytest.fixture
def team(tmp_path: Path) -> Path:
    (tmp_path / "own" / "articles").mkdir(parents=True)
    (tmp_path / "own" / "articles" / "zebra.md").write_text("Zebrafish are fed at noon.")
    (tmp_path / "own" / "articles" / "manual.pdf").write_bytes(pdf_of("Giraffes sleep on their feet."))
    return tmp_path / "own"


def test_build_follows_the_folder_and_a_bad_file_is_told_while_the_rest_is_indexed(tmp_path: Path, team: Path) -> None:
    kept = tmp_path / "kb"
    made = aks_copilot("kb", "build", "--index", kept, "--knowledge", team)
    assert (made.returncode, made.stderr) == (0, b"")
    (team / "articles" / "zebra.md").unlink()
    (team / "articles" / "broken.pdf").write_bytes(b"%PDF-")
    (team / "articles" / "latin.md").write_bytes(b"caf\xe9")
    (team / "articles" / "more.txt").write_text("Okapis are shy.")
    again = aks_copilot("kb", "build", "--index", kept, "--knowledge", team)
    assert again.returncode == 1
    assert b"1 new, 0 changed, 1 gone" in again.stdout
    assert [line.partition(b" (")[0] for line in again.stderr.splitlines()] == [
        b"not indexed: articles/broken.pdf: cannot be read as a PDF",
        b"not indexed: articles/latin.md: not UTF-8 text",
    ]
    assert {hit.passage.slug for hit in local.load(kept).search("giraffes okapis", 2)} == {"manual", "more"}


def test_a_huge_or_unreadable_file_is_not_read_into_memory(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (team / "articles" / "huge.md").open("wb") as file:
        file.truncate(MAX_PDF_BYTES + 1)
    assert collected(team).problems == ["articles/huge.md: larger than 20 MiB"]
    (team / "articles" / "huge.md").unlink()

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert collected(team).problems == ["articles/manual.pdf: Permission denied", "articles/zebra.md: Permission denied"]
    with pytest.raises(ValidationError, match=r"^articles/manual\.pdf: Permission denied$"):
        documents(team)
