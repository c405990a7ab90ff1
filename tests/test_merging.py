"""Whose file is whose: our results on a line of commits that others work on too."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.code_host import FILE, TreeEntry
from shared.domain.merging import is_free, merged
from shared.domain.model import FileOutcome, PatchOperation


def replace_at(path: str, value: str, rule: str) -> PatchOperation:
    return PatchOperation("replace", path, rule, value)


def patched(operations: list[PatchOperation], path: str = "a.yaml") -> FileOutcome:
    return FileOutcome(path, "patched", None, 1, (), tuple(operations))


def tree(**files: str) -> dict[str, TreeEntry]:
    return {path: TreeEntry(path, FILE, sha) for path, sha in files.items()}


def test_ours_is_updated_only_where_it_is_what_we_wrote() -> None:
    line, base, new = tree(a="our1", b="theirs", c="c0"), tree(a="a0", b="b0", c="c0"), tree(a="a1", b="b1", c="c0")
    wanted = {"a": (FILE, "our2"), "b": (FILE, "our2"), "c": (FILE, "our"), "d": (FILE, "our")}

    found = merged(line, new, base, wanted, {"a": ["our1"], "b": ["our1"]}, strict=True)

    assert found.changes == {"a": (FILE, "our2"), "c": (FILE, "our"), "d": (FILE, "our")}
    assert (found.left, found.clean) == (("b",), True)


def test_what_is_ours_no_more_is_as_the_source_has_it() -> None:
    found = merged(tree(a="our1", b="our1"), tree(a="a1"), tree(a="a0"), {}, {"a": ["our1"], "b": ["our1"]}, strict=True)

    assert found.changes == {"a": (FILE, "a1"), "b": None}


def test_files_that_are_not_ours_are_merged_as_git_would() -> None:
    base = tree(same="0", new="0", line="0", gone="0", gone_here="0")
    line, new = tree(same="0", new="0", line="1", gone="0", added="1"), tree(same="0", new="1", line="0", gone_here="0", fresh="1")

    found = merged(line, new, base, {}, {}, strict=True)

    assert found.changes == {"new": (FILE, "1"), "gone": None, "fresh": (FILE, "1")}
    assert found.clean


def test_a_file_changed_on_both_sides_is_no_merge() -> None:
    found = merged(tree(x="1", a="0"), tree(x="2", a="0"), tree(x="0", a="0"), {"a": (FILE, "our")}, {}, strict=True)

    assert (found.clean, found.changes) == (False, {"a": (FILE, "our")})


@pytest.mark.parametrize(
    ("line", "written", "strict", "free"),
    [
        (tree(a="orig"), {}, True, True),
        (tree(a="orig"), {"a": ["our"]}, True, False),  # somebody took our change back
        (tree(a="orig"), {"a": ["our"]}, False, True),  # on the base it was never merged
        (tree(a="our"), {"a": ["our"]}, True, True),
        (tree(a="theirs"), {"a": ["our"]}, False, False),
        ({}, {"a": ["our"]}, True, False),  # somebody deleted it
        ({}, {"a": ["our", ""]}, True, True),  # we did
        ({}, {}, True, False),
    ],
)
def test_when_a_file_is_ours_to_change(line: Any, written: Any, strict: bool, free: bool) -> None:
    assert is_free("a", line, (tree(a="orig"),), written, strict=strict) is free
