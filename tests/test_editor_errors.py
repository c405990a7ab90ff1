"""What the editor and its proof refuse, and what they say."""

from __future__ import annotations

from typing import Any

import pytest
from manifest_support import HEAD, operation, thing

from shared.domain.editor import apply_operations, equal, prove
from shared.domain.errors import EditRefused, ProofFailed
from shared.domain.manifest import read_manifest

TWO = read_manifest("a.yaml", f"{HEAD}a: 1\n---\n{HEAD}a: 1\n".encode())


def test_the_operation_at_fault_is_named() -> None:
    with pytest.raises(EditRefused, match="the path is not there") as refusal:
        apply_operations(TWO, [operation("replace", "/0/a", 2), operation("remove", "/1/b")])

    assert refusal.value.operation == 1


@pytest.mark.parametrize("path", ["", "/x/a", "/-", "/00x"])
def test_a_path_starts_with_a_document(path: str) -> None:
    with pytest.raises(EditRefused, match="a path starts with the number of a document"):
        apply_operations(TWO, [operation("replace", path, {})])


@pytest.mark.parametrize("text", ["a: b: c\n", "", "# nothing\n"])
def test_a_file_without_documents_cannot_be_edited(text: str) -> None:
    with pytest.raises(EditRefused, match="the file cannot be edited"):
        apply_operations(read_manifest("a.yaml", text.encode()), [operation("add", "/0", {})])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"a": float("nan")}, ["\udfff"], {"\ud800": 1}])
@pytest.mark.parametrize("path", ["/0/a", "/0/b", "/0/c/d"])
def test_values_that_json_or_utf8_cannot_hold_are_refused(path: str, value: Any) -> None:
    manifest = thing("a: 1\nc: {d: 1}\n")

    with pytest.raises((EditRefused, ProofFailed)):
        prove(manifest, [operation("add", path, value)], apply_operations(manifest, [operation("add", path, value)]))


def test_no_operation_gives_the_same_bytes() -> None:
    assert TWO.data == apply_operations(TWO, [])
    assert prove(TWO, [], TWO.data).status == "manifest"


def test_the_manifest_itself_is_not_changed() -> None:
    manifest = thing("a: &x {b: [1]}\nc: *x\n")
    apply_operations(manifest, [operation("add", "/0/c/b/-", 2), operation("replace", "/0/kind", "Other")])

    assert manifest.documents[0].value == {"apiVersion": "v1", "kind": "Thing", "a": {"b": [1]}, "c": {"b": [1]}}


def test_the_value_of_an_operation_is_not_changed() -> None:
    value = {"x": {"y": 1}}
    apply_operations(thing("a: 1\n"), [operation("replace", "/0/a", value), operation("add", "/0/a/x/z", 2)])

    assert value == {"x": {"y": 1}}


UNNAMED = "document 1 changed, though no operation names it"
PROOFS = [
    ("another value", HEAD + "a: 3\n---\n" + HEAD + "a: 1\n", "the edited text does not say what the operations say"),
    ("true for one", HEAD + "a: true\n---\n" + HEAD + "a: 1\n", "the edited text does not say what the operations say"),
    ("a document too few", HEAD + "a: 2\n", "the edited text does not say what the operations say"),
    ("another document's text", HEAD + "a: 2\n---\n" + HEAD + "a: 1 # new\n", UNNAMED),
    ("another document's quotes", HEAD + "a: 2\n---\n" + HEAD.replace("v1", "'v1'") + "a: 1\n", UNNAMED),
    ("no YAML", HEAD + "a: 2\n b: 1\n", "the edited file cannot be read back"),
    ("line ends", (HEAD + "a: 2\n").replace("\n", "\r\n") + "---\n" + HEAD + "a: 1\n", "the line ends changed"),
    ("byte order mark", "\ufeff" + HEAD + "a: 2\n---\n" + HEAD + "a: 1\n", "the byte order mark changed"),
    ("final line end", HEAD + "a: 2\n---\n" + HEAD + "a: 1", "the final line end is gone"),
]  # fmt: skip


@pytest.mark.parametrize(("after", "reason"), [pytest.param(a, r, id=i) for i, a, r in PROOFS])
def test_a_wrong_result_does_not_prove(after: str, reason: str) -> None:
    with pytest.raises(ProofFailed, match=reason):
        prove(TWO, [operation("replace", "/0/a", 2)], after.encode())


def test_a_right_result_proves() -> None:
    proven = prove(TWO, [operation("replace", "/0/a", 2)], f"{HEAD}a: 2\n---\n{HEAD}a: 1\n".encode())

    assert [d.value["a"] for d in proven.documents] == [2, 1]


def test_an_empty_file_proves_only_without_documents() -> None:
    assert prove(TWO, [operation("remove", "/0"), operation("remove", "/0")], b"").documents == ()
    with pytest.raises(ProofFailed):
        prove(TWO, [operation("remove", "/0")], b"")


@pytest.mark.parametrize("path", ["/0/b", "/5/a", "/0/a/b/c"])
def test_operations_that_do_not_apply_do_not_prove(path: str) -> None:
    with pytest.raises(ProofFailed, match="the operations cannot be applied to the documents"):
        prove(TWO, [operation("remove", path)], TWO.data)


def test_text_that_only_one_parser_reads_does_not_prove() -> None:
    manifest = thing("a: 1\n")

    with pytest.raises(ProofFailed, match="cannot be read back"):
        prove(manifest, [operation("replace", "/0/a", 2)], f"{HEAD}a:\t2\n".encode())


def test_equality_is_that_of_json() -> None:
    assert equal({"a": [1, None, "x"]}, {"a": [1.0, None, "x"]})
    assert not equal(1, True)
    assert not equal(0, False)
    assert not equal({"a": None}, {})
    assert not equal([1], [1, 2])
    assert not equal("1", 1)


def test_mixed_line_ends_follow_their_neighbours() -> None:
    manifest = read_manifest("a.yaml", b"apiVersion: v1\r\nkind: Thing\r\na:\n  b: 1\n  c: 2\n")
    operations = [operation("add", "/0/a/z", {"x": 1}), operation("remove", "/0/a/b")]
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)

    assert after == b"apiVersion: v1\r\nkind: Thing\r\na:\n  c: 2\n  z:\n    x: 1\n"


def test_a_document_cut_down_to_one_line_keeps_the_line_ends_of_its_file() -> None:
    manifest = read_manifest("a.yaml", b"apiVersion: v1\r\nkind: Thing\r\na: 1")
    operations = [operation("remove", "/0/apiVersion"), operation("remove", "/0/kind"), operation("add", "/0/b", 2)]
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)

    assert after == b"a: 1\r\nb: 2"


def test_json_strings_that_yaml_cannot_read_bare_are_escaped() -> None:
    manifest = read_manifest("a.yaml", b'{"apiVersion": "v1", "kind": "Thing", "a": ""}')
    operations = [operation("replace", "/0/a", ["\x7f\u2028"])]
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)

    assert after == b'{"apiVersion": "v1", "kind": "Thing", "a": ["\\u007f\\u2028"]}'


def test_tabs_at_line_ends_stay() -> None:
    manifest = thing("a: 1\t\nb: 2\t\n")
    operations = [operation("replace", "/0/a", 3)]
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)

    assert after == (HEAD + "a: 3\t\nb: 2\t\n").encode()


def test_a_kustomization_is_edited_like_any_text() -> None:
    manifest = read_manifest("kustomization.yaml", b"resources:\n- a.yaml # one\n- b.yaml\n")
    operations = [operation("replace", "/0/resources/0", "c.yaml"), operation("add", "/0/resources/-", "d.yaml")]
    after = apply_operations(manifest, operations)
    prove(manifest, operations, after)

    assert after == b"resources:\n- c.yaml # one\n- b.yaml\n- d.yaml\n"


def test_known_limit_an_anchor_cannot_change_alone() -> None:
    with pytest.raises(EditRefused, match="an anchor whose aliases would change too"):
        apply_operations(thing("a: &x 1\nb: *x\n"), [operation("replace", "/0/a", 2)])


def test_known_limit_a_comment_would_become_text() -> None:
    manifest = thing("a: |\n  text\nb: 1\n  # deep\n")
    operations = [operation("remove", "/0/b")]

    with pytest.raises(ProofFailed, match="does not say what the operations say"):
        prove(manifest, operations, apply_operations(manifest, operations))
