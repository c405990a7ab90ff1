"""The function app on the development host and real storage: uploads to `knowledge` are indexed into `cache`, and what is gone goes."""

from __future__ import annotations

import json
from pathlib import Path

from fakes import library_in
from funchost_harness import wait_until
from test_pipeline_host import azurite, context, serve  # noqa: F401 - fixtures

from funchost.azurite import Azurite
from shared.domain.errors import CriticalError
from shared.pipeline import names
from shared.pipeline.context import Context


def test_uploads_to_the_container_are_found_and_what_was_deleted_is_not(
    azurite: Azurite,  # noqa: F811
    context: Context,  # noqa: F811
    tmp_path: Path,
) -> None:
    def slugs(query: str) -> list[str]:
        try:
            return [hit.passage.slug for hit in library_in(context.blobs).search(query, 3)]
        except CriticalError:
            return []

    blobs = context.blobs
    with serve(azurite, tmp_path):
        blobs.write(names.KNOWLEDGE, "articles/zebra.md", b"Zebrafish are fed at noon.")
        blobs.write(names.KNOWLEDGE, "articles/broken.pdf", b"%PDF-")
        wait_until(lambda: "zebra" in slugs("zebrafish"), "the article is found")
        blobs.delete(names.KNOWLEDGE, "articles/zebra.md")
        blobs.write(names.KNOWLEDGE, "articles/giraffe.md", b"Giraffes sleep on their feet.")
        wait_until(lambda: "giraffe" in slugs("giraffes"), "the other article is found")
        assert "zebra" not in slugs("zebrafish")
    stored = blobs.read(names.CACHE, names.KNOWLEDGE_STATUS, max_bytes=10**6)
    assert stored is not None
    files = json.loads(stored[0])["files"]
    assert files.keys() == {"articles/broken.pdf", "articles/giraffe.md"}
    assert files["articles/broken.pdf"]["problem"].startswith("articles/broken.pdf: cannot be read as a PDF")
    assert {blob.name for blob in blobs.list(names.KNOWLEDGE, "")} == {"articles/broken.pdf", "articles/giraffe.md"}
