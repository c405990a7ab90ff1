"""Bad input: archives, names, paths and settings that cannot be used; each is said in the report, and none leaves a run stuck."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pytest
from fakes import World, report_of

from shared.pipeline import names


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


ARCHIVES = {
    "zip": ("shop.zip", zipped({"k8s/a.yaml": b"BAD\n", "k8s/b.txt": b"x"}), {"a.yaml": ("patched", None), "b.txt": ("skipped", None)}),
    "tar.gz": ("shop.tar.gz", tarred({"a.yaml": b"BAD\n"}), {"a.yaml": ("patched", None)}),
    "no archive": ("shop.zip", b"PK no", {"shop.zip": ("refused", "the archive cannot be read as zip: BadZipFile")}),
    "empty": ("shop.zip", b"", {"shop.zip": ("refused", "the archive cannot be read as zip: BadZipFile")}),
    "traversal": (
        "shop.zip",
        zipped({"ok.yaml": b"x", "../../etc/passwd": b"x"}),
        {"shop.zip": ("refused", "the archive is refused: '../../etc/passwd': path leaves the application's folder")},
    ),
    "bomb": (
        "shop.zip",
        zipped({f"{n}.yaml": bytes(99_999) for n in range(11)}),
        {"shop.zip": ("refused", "the archive unpacks to more than 1000000 bytes")},
    ),
    "no file": ("shop.zip", zipped({}), {}),
    "nested": ("shop.zip", zipped({"in.zip": zipped({"a.yaml": b"BAD"})[:0] + b"text"}), {"in.zip": ("skipped", None)}),
    "large file": ("shop.zip", zipped({"a.yaml": bytes(100_001)}), {"a.yaml": ("refused", "The file is larger than 100000 bytes.")}),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_every_archive_ends_in_a_report(case: str) -> None:
    name, data, expected = ARCHIVES[case]
    world = World()
    world.put({name: data})
    world.drain()

    assert report_of(world) == expected
    assert world.errors == []


def test_a_large_blob_of_a_folder_is_refused_without_being_read() -> None:
    world = World()
    read, seen = world.blobs.read, []
    world.context.blobs.read = lambda c, n, *, max_bytes: (seen.append(n), read(c, n, max_bytes=max_bytes))[1]
    world.put({"shop/a.yaml": "BAD\n", "shop/huge.yaml": bytes(100_001)})
    world.drain()

    assert report_of(world)["huge.yaml"] == ("refused", "The file is larger than 100000 bytes.")
    assert report_of(world)["a.yaml"] == ("patched", None)
    assert "shop/huge.yaml" not in seen
    assert world.blobs.texts(names.PATCHED)[f"{world.runs()[0]}/huge.yaml"] == bytes(100_001)


@pytest.mark.parametrize("name", ["notes.txt", "Bad_App.zip", "a" * 41 + ".zip", "BAD/a.yaml", "x.rar"])
def test_what_is_no_application_is_recorded_as_ignored(name: str) -> None:
    world = World()
    world.put({name: "x"})
    world.drain()

    (record,) = world.blobs.texts(names.RUNS).values()
    assert json.loads(record)["name"] == name
    assert "application name" in json.loads(record)["reason"]


@pytest.mark.parametrize("path", ["a/../b.yaml", "a//b.yaml", "a\\b.yaml", ".removed.json", "a/\x7f.yaml", "d/" + "x" * 900])
def test_a_path_that_cannot_be_written_back_is_refused(path: str) -> None:
    world = World()
    world.put({f"shop/{path}": "BAD\n", "shop/ok.yaml": "x\n"})
    world.drain()

    assert report_of(world)[path][0] == "refused"
    assert report_of(world)["ok.yaml"] == ("unchanged", None)


def test_settings_beside_the_manifests_that_cannot_be_used_are_the_report() -> None:
    world = World()
    world.put({"shop/.aks-copilot.yaml": "BROKEN", "shop/a.yaml": "BAD\n"})
    world.drain()

    assert report_of(world)["a.yaml"] == ("failed", ".aks-copilot.yaml cannot be used")
    assert world.blobs.texts(names.PATCHED)[f"{world.runs()[0]}/a.yaml"] == b"BAD\n"


def test_an_application_without_a_file_or_a_manifest_still_ends_in_a_report() -> None:
    empty, plain = World(), World()
    empty.put({"shop/.ready": ""})
    plain.put({"shop/readme.md": "x", "shop/.ready": ""})
    empty.drain()
    plain.drain()

    assert report_of(empty) == {}
    assert report_of(plain) == {"readme.md": ("skipped", None)}


def test_a_deleted_upload_starts_nothing() -> None:
    world = World()
    world.put({"shop/a.yaml": "x", "shop.zip": b"x"})
    world.blobs.content.clear()
    world.drain()

    assert world.blobs.content == {}
    assert world.errors == []
