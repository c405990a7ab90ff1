"""Archives that are broken, hostile or merely odd: each ends in files, in recorded lines, or in one clear refusal."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.archive import ArchiveContent, ArchiveKind, ArchiveLimits, archive_kind, open_archive, path_problem
from shared.domain.errors import ValidationError

SMALL = ArchiveLimits(entries=20, file_bytes=1000, total_bytes=5000)


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(*entries: tuple[str, bytes | bytes, bytes | None]) -> bytes:
    """Entries are (name, type, data); type b"0" is a regular file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, kind, data in entries:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(data or b""), "/etc/passwd"
            archive.addfile(member, io.BytesIO(data or b""))
    return buffer.getvalue()


def both(*files: tuple[str, bytes]) -> list[tuple[ArchiveKind, bytes]]:
    return [("zip", zip_of(*files)), ("tar.gz", tar_of(*((name, b"0", data) for name, data in files)))]


def paths(content: ArchiveContent) -> list[str]:
    return [file.path for file in content.files]


def test_files_come_in_path_order_with_their_bytes() -> None:
    for kind, data in both(("b.yaml", b"2"), ("a/c.yaml", b"\xff\x00")):
        content = open_archive(data, kind, SMALL)
        assert [(f.path, f.data) for f in content.files] == [("a/c.yaml", b"\xff\x00"), ("b.yaml", b"2")]
        assert (content.refused, content.notes) == ({}, [])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["k8s/a", "k8s/b/c"], ["a", "b/c"]),
        (["k8s/b/a", "k8s/b/c"], ["b/a", "b/c"]),
        (["a", "k8s/c"], ["a", "k8s/c"]),
        (["a"], ["a"]),
        (["./k8s/a", "__MACOSX/k8s/._a", "k8s/.git/config"], ["a"]),
    ],
)
def test_a_single_top_folder_is_stripped_once(names: list[str], expected: list[str]) -> None:
    for kind, data in both(*((name, b"x") for name in names)):
        assert paths(open_archive(data, kind, SMALL)) == expected


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "C:/x", "a//b", "a/./b", "a\x01b", "x" * 901, "a/.."])
def test_a_path_that_leaves_or_cannot_be_written_refuses_the_whole_archive(name: str) -> None:
    for kind, data in both(("ok.yaml", b"x"), (name, b"x")):
        with pytest.raises(ValidationError, match=r"the archive is refused: .*path") as error:
            open_archive(data, kind, SMALL)
        assert "\n" not in str(error.value)


def test_windows_separators_are_folders_in_a_zip() -> None:
    assert paths(open_archive(zip_of(("top\\a\\b.yaml", b"x"), ("top\\c", b"")), "zip", SMALL)) == ["a/b.yaml", "c"]
    with pytest.raises(ValidationError, match="leaves"):
        open_archive(zip_of(("..\\x", b"")), "zip", SMALL)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_refuse_the_archive() -> None:
    for kind, data in both(("a", b"1"), ("./a", b"2")):
        with pytest.raises(ValidationError, match="'a': two entries of this name"):
            open_archive(data, kind, SMALL)


def test_links_and_devices_are_noted_and_left_out() -> None:
    types = {"soft": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE, "tty": tarfile.CHRTYPE, "disk": tarfile.BLKTYPE}
    content = open_archive(tar_of(("a", b"0", b"x"), *((name, kind, None) for name, kind in types.items())), "tar.gz", SMALL)
    assert paths(content) == ["a"]
    assert content.notes == [
        "soft: symbolic link: ignored",
        "hard: hard link: ignored",
        "pipe: device or pipe: ignored",
        "tty: device or pipe: ignored",
        "disk: device or pipe: ignored",
    ]
    link = zipfile.ZipInfo("soft")
    link.external_attr = 0o120777 << 16
    content = open_archive(zip_of(("a", b"x"), (link, b"/etc/passwd")), "zip", SMALL)
    assert (paths(content), content.notes) == (["a"], ["soft: symbolic link: ignored"])


def test_an_encrypted_entry_is_refused_and_the_rest_read() -> None:
    data = bytearray(zip_of(("a", b"x"), ("b", b"y")))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in b's entry of the central directory
    content = open_archive(bytes(data), "zip", SMALL)
    assert (paths(content), content.refused) == (["a"], {"b": "encrypted: not read"})


def test_a_large_file_is_refused_and_the_rest_read() -> None:
    for kind, data in both(("a", bytes(1000)), ("b", bytes(1001))):
        content = open_archive(data, kind, SMALL)
        assert (paths(content), content.refused) == (["a"], {"b": "The file is larger than 1000 bytes."})


@pytest.mark.parametrize("count", [6, 5])
def test_bytes_in_all_are_limited_whether_kept_or_not(count: int) -> None:
    for kind, data in both(*((str(n), bytes(1001)) for n in range(count))):
        with pytest.raises(ValidationError, match="unpacks to more than 5000 bytes"):
            open_archive(data, kind, SMALL)


def test_entries_are_limited() -> None:
    for kind, data in both(*((str(n), b"") for n in range(21))):
        with pytest.raises(ValidationError, match="more than 20 entries"):
            open_archive(data, kind, SMALL)


def test_bombs_cost_no_more_than_their_limit() -> None:
    zeros = gzip.compress(bytes(100_000_000))
    bomb = zip_of(("bomb", bytes(100_000_000)))
    start = time.process_time()
    assert open_archive(bomb, "zip", SMALL).refused == {"bomb": "The file is larger than 1000 bytes."}
    assert open_archive(zeros, "tar.gz", SMALL) == ArchiveContent()  # two zero blocks end a tar file
    with pytest.raises(ValidationError, match="unpacks to more than"):
        open_archive(tar_of(("bomb", b"0", bytes(30_000_000))), "tar.gz", SMALL)
    assert time.process_time() - start < 2


def test_a_huge_header_is_a_bomb_too() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a")
        member.pax_headers = {"comment": "x" * 10_000_000}
        archive.addfile(member, io.BytesIO())
    with pytest.raises(ValidationError, match="unpacks to more than"):
        open_archive(buffer.getvalue(), "tar.gz", SMALL)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"\x1f\x8b", b"text", gzip.compress(b"no tar", mtime=0), gzip.compress(bytes(2000), mtime=0)[:20]]
)
def test_what_is_no_archive_is_refused_in_one_line(kind: ArchiveKind, data: bytes) -> None:
    with pytest.raises(ValidationError, match=f"the archive cannot be read as {kind}: "):
        open_archive(data, kind, SMALL)


def test_a_compression_that_is_not_known_is_refused_in_one_line() -> None:
    data = bytearray(zip_of(("a.yaml", b"a: 1\n")))
    for header, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(header) + method] = 99
    with pytest.raises(ValidationError, match="the archive cannot be read as zip: NotImplementedError"):
        open_archive(bytes(data), "zip", SMALL)


@given(st.sampled_from(both(("k/a.yaml", b"a: 1\n" * 50), ("k/b.yaml", b"b"))), st.data())
def test_damage_anywhere_is_refused_or_read_never_anything_else(archive: tuple[ArchiveKind, bytes], data: st.DataObject) -> None:
    kind, content = archive
    place = data.draw(st.integers(0, len(content) - 1))
    broken = content[:place] + bytes([data.draw(st.integers(0, 255))]) + content[place + 1 :]
    try:
        content_or_reason: object = open_archive(broken, kind, SMALL)
    except ValidationError as error:
        content_or_reason = str(error)
    assert isinstance(content_or_reason, ArchiveContent) or "\n" not in str(content_or_reason)


def test_kinds_by_name() -> None:
    assert archive_kind("shop.zip") == ("shop", "zip")
    assert archive_kind("shop.tar.gz") == ("shop", "tar.gz")
    assert archive_kind("shop.tgz") == ("shop", "tar.gz")
    assert archive_kind("shop.tar") is None


def test_paths_that_may_be_written() -> None:
    assert [p for p in ("a", "a/b.yaml", ".hidden", "ä/ü.yaml", "a b", "..a", "x:") if path_problem(p)] == []
