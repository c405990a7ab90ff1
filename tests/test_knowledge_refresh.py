"""The container `knowledge` indexed: only what changed is read, deletions are found, files that cannot be used are named."""

from __future__ import annotations

import json

import pytest
from fakes import MemoryBlobs, World
from knowledge_support import DISKS, GATEWAY, found, index_of, pdf_of
from refresh_support import PLACE, Small, Storage, held, indexed, once, started, status
from test_knowledge import RULE as TEAM_RULE

from shared import services
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.shipped import AGAIN_SECONDS, OrShipped
from shared.adapters.knowledge.store import FRESH_SECONDS, BlobIndex
from shared.pipeline import knowledge_index, names
from shared.pipeline.knowledge_index import refresh

RULE = TEAM_RULE.replace("TEAM0001", "ZEBRA0001").replace("A claim", "A zebra")


def test_uploads_changes_and_deletions_are_found_by_comparison() -> None:
    blobs = Storage()
    assert set(once(blobs).add) == {DISKS.name, GATEWAY.name}
    blobs.put("articles/deep/zebra.txt", "Feed the zebra at noon.")
    blobs.put("articles/manual.pdf", pdf_of("Giraffes sleep on their feet."))
    blobs.put("articles/disks.md", "# Our disks\nAsk Anna.")
    done = once(blobs)
    assert (done.add, done.remove) == ({"articles/deep/zebra.txt", "articles/manual.pdf", DISKS.name}, {DISKS.name})
    assert found(indexed(blobs), "zebra noon")[0] == "zebra"
    assert found(indexed(blobs), "giraffes")[0] == "manual"
    assert "Anna" in indexed(blobs).search("disks", 1)[0].passage.text
    blobs.delete(names.KNOWLEDGE, "articles/disks.md")
    blobs.delete(names.KNOWLEDGE, "articles/deep/zebra.txt")
    assert once(blobs).remove == {"articles/deep/zebra.txt", DISKS.name}
    assert "zone" in indexed(blobs).search("disks", 1)[0].passage.text, "ours is back"
    assert held(blobs) == {DISKS.name, GATEWAY.name, "articles/manual.pdf"}


def test_only_what_is_new_is_read_and_nothing_is_written_where_nothing_changed() -> None:
    blobs = Storage()
    for number in range(5):
        blobs.put(f"articles/a{number}.md", f"Zebra {number}")
    once(blobs)
    blobs.put("articles/a3.md", "Giraffe")
    blobs.reads.clear()
    assert once(blobs).add == {"articles/a3.md"}
    assert [name for name in blobs.reads if name.startswith("knowledge/")] == ["knowledge/articles/a3.md"]
    before = dict(blobs.content)
    blobs.reads.clear()
    assert not once(blobs)
    assert blobs.content == before
    assert not any(name.startswith("knowledge/") for name in blobs.reads)


def test_a_file_that_cannot_be_used_is_named_once_and_the_rest_is_indexed(caplog: pytest.LogCaptureFixture) -> None:
    blobs = Storage()
    bad = {
        "articles/binary.md": (b"\xff\xfe\x00", "not UTF-8 text"),
        "articles/locked.pdf": (pdf_of("Zebra", password="sesame"), "the PDF is encrypted"),
        "articles/large.md": (b"a" * (4 * 1024 * 1024 + 1), "larger than 4 MiB"),
        "articles/huge.pdf": (b"a" * (20 * 1024 * 1024 + 1), "20971521 bytes; the limit is 20971520"),
        "rules/T1-wrong.yaml": (b"id: [", "not YAML"),
        "articles/prog.exe": (b"MZ", "neither text (.md, .txt) nor .pdf"),
    }
    for name, (data, _) in bad.items():
        blobs.put(name, data)
    blobs.put("articles/good.md", "Zebra")
    blobs.put("articles/picture.png", b"\x89PNG")
    with caplog.at_level("INFO"):
        once(blobs)
    assert held(blobs) == {DISKS.name, GATEWAY.name, "articles/good.md"}
    problems = {name: file["problem"] for name, file in status(blobs).items() if file["problem"]}
    assert problems.keys() == bad.keys()
    assert all(bad[name][1] in said and name in said and "\n" not in said for name, said in problems.items())
    assert caplog.text.count("knowledge file not used") == len(bad)
    caplog.clear()
    blobs.reads.clear()
    assert not once(blobs)
    assert "not used" not in caplog.text
    assert not any(name.startswith("knowledge/") for name in blobs.reads)
    blobs.put("articles/binary.md", "Giraffe")
    assert once(blobs).add == {"articles/binary.md"}


def test_what_does_not_fit_into_memory_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_index, "KEPT_CHARACTERS", 20)
    blobs = Storage()
    for number in range(3):
        blobs.put(f"articles/a{number}.md", f"Zebra {number}")
    assert len(once(blobs).add) == 5
    read = [name for name in blobs.reads if name.startswith("knowledge/")]
    assert len(read) == 3 + 1
    assert held(blobs) == {DISKS.name, GATEWAY.name, *(f"articles/a{number}.md" for number in range(3))}


def test_of_two_rules_with_one_id_the_first_counts_until_it_goes() -> None:
    blobs = Storage()
    blobs.put("rules/ZEBRA0001-a.yaml", RULE)
    blobs.put("rules/ZEBRA0001-b.yaml", RULE.replace("A zebra", "A giraffe"))
    once(blobs)
    assert [hit.passage.title for hit in indexed(blobs).rules("zebra giraffe", 3)] == ["ZEBRA0001 A zebra without an owner"]
    assert (
        status(blobs)["rules/ZEBRA0001-b.yaml"]["problem"]
        == "rules/ZEBRA0001-b.yaml: rules/ZEBRA0001-a.yaml is rules/ZEBRA0001.yaml already"
    )
    blobs.delete(names.KNOWLEDGE, "rules/ZEBRA0001-a.yaml")
    once(blobs)
    assert [hit.passage.title for hit in indexed(blobs).rules("zebra giraffe", 3)] == ["ZEBRA0001 A giraffe without an owner"]


@pytest.mark.parametrize("stored", [b"{", b"[]", b'{"schemaVersion": 9, "files": {}}', b'{"schemaVersion": 1, "files": {"a": 3}}'])
def test_a_status_that_cannot_be_read_is_made_anew(stored: bytes) -> None:
    blobs = started()
    MemoryBlobs.write(blobs, names.CACHE, names.KNOWLEDGE_STATUS, stored)
    once(blobs)
    assert status(blobs).keys() == {"articles/changed.md", "articles/new.md", "articles/same.md"}


def test_what_another_version_of_the_program_reads_otherwise_is_read_again() -> None:
    """A new version may make another text of the same PDF, and the index, built anew, does not hold the old one."""
    blobs = started()
    once(blobs)
    stored = status(blobs)
    stored["articles/same.md"]["digest"] = "0" * 64
    MemoryBlobs.write(blobs, names.CACHE, names.KNOWLEDGE_STATUS, json.dumps({"schemaVersion": 1, "files": stored}).encode())
    blobs.delete(*PLACE)
    once(blobs)
    assert "articles/same.md" in held(blobs)
    assert status(blobs)["articles/same.md"]["digest"] == indexed(blobs)._read()[1].digests["articles/same.md"]
    assert not once(blobs)


def test_until_there_is_an_index_the_shipped_articles_are_searched() -> None:
    now = [0.0]
    blobs, shipped = Storage(), index_of(DISKS)
    index = OrShipped(BlobIndex(blobs, PLACE, HashedGrams(), clock=lambda: now[0]), lambda: shipped, clock=lambda: now[0])
    assert found(index, "zone") == ["disks"]
    count = blobs.count
    assert [hit.passage.slug for hit in (*index.rules("disk", 3), *index.explaining("AKS0101", "disk", 3))] == ["disks"]
    assert blobs.count == count, "the index that is not there is not looked for at every search"
    blobs.put("articles/zebra.md", "Zebra")
    once(blobs)
    now[0] += AGAIN_SECONDS
    assert found(index, "zebra")[0] == "zebra"
    MemoryBlobs.write(blobs, *PLACE, b"broken")
    now[0] += FRESH_SECONDS
    assert found(index, "zebra") != ["zebra"]
    refresh(blobs, index, Small())
    assert found(index, "zebra")[0] == "zebra", "the one who indexes sees it at once"


def test_the_triggers_index_what_the_whole_program_ships() -> None:
    from functions.knowledge import knowledge_blob, knowledge_timer

    world = World()
    services.install(world.services)
    try:
        world.blobs.write(names.KNOWLEDGE, "articles/zebra.md", b"Zebrafish are fed at noon.")
        knowledge_blob.build().get_user_function()(blob=None)
        assert found(world.services.library(), "zebrafish")[0] == "zebra"
        world.blobs.delete(names.KNOWLEDGE, "articles/zebra.md")
        knowledge_timer.build().get_user_function()(timer=None)
        assert "zebra" not in found(world.services.library(), "zebrafish")
        assert found(world.services.library(), "DeploymentConfig")
        assert not any(name.startswith("knowledge/") for name in world.blobs.texts(names.KNOWLEDGE))
    finally:
        services.install(None)
