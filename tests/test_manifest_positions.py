"""Line and column of what a JSON Pointer names."""

from __future__ import annotations

import pytest
from manifest_support import JUDGE, corpus_index, corpus_manifest, judge, needs_corpus, share
from test_editor_corpus import places

from shared.domain.manifest import read_manifest

TEXT = """\
# head
apiVersion: v1
kind: Pod
metadata: {name: x, labels: {a/b: c}}
spec:
  # the only one
  containers:
    - name: one
      ports:
      - containerPort: 80
      -
        containerPort: 81
    - &two
      name: two
  again: *two
  merged:
    <<: *two
    own: 1
  empty:
---
# second
apiVersion: v1
kind: Service
"""

POSITIONS = [
    ("", 2, 1),
    ("/apiVersion", 2, 1),
    ("/metadata/name", 4, 12),
    ("/metadata/labels/a~1b", 4, 30),
    ("/spec/containers", 7, 3),
    ("/spec/containers/0", 8, 7),
    ("/spec/containers/0/name", 8, 7),
    ("/spec/containers/0/ports/0/containerPort", 10, 9),
    ("/spec/containers/0/ports/1", 12, 9),
    ("/spec/containers/1", 13, 7),
    ("/spec/again", 15, 3),
    ("/spec/again/name", 15, 10),
    ("/spec/merged/name", 17, 5),
    ("/spec/merged/own", 18, 5),
    ("/spec/empty", 19, 3),
    # absent: the nearest parent
    ("/spec/nodeSelector", 5, 1),
    ("/spec/containers/7", 7, 3),
    ("/spec/containers/0/resources/limits/cpu", 8, 7),
    ("/metadata/name/x", 4, 12),
    ("/metadata/annotations/x", 4, 1),
    ("/status", 2, 1),
]


@pytest.mark.parametrize(("pointer", "line", "column"), POSITIONS)
def test_position_of(pointer: str, line: int, column: int) -> None:
    assert read_manifest("a.yaml", TEXT.encode()).documents[0].position(pointer) == (line, column)


def test_positions_of_a_later_document_count_from_the_start_of_the_file() -> None:
    document = read_manifest("a.yaml", ("\ufeff" + TEXT.replace("\n", "\r\n")).encode()).documents[1]

    assert document.position("/kind") == (23, 1)
    assert document.text[slice(*document.span)].startswith("---\r\n# second")


def test_positions_in_json() -> None:
    text = '{\n\t"apiVersion": "v1",\n\t"kind": "List",\n\t"items": [\n\t\t{"kind": "A"}, 5\n\t]\n}'
    document = read_manifest("a.json", text.encode()).documents[0]

    assert document.position("/items") == (4, 2)
    assert document.position("/items/0/kind") == (5, 4)
    assert document.position("/items/1") == (5, 18)


@needs_corpus
@pytest.mark.skipif(not JUDGE.is_file(), reason="no judge beside the project")
def test_positions_in_real_manifests_are_where_the_judge_sees_them() -> None:
    check, seen = judge(), 0
    for row in corpus_index():
        if int(row["bytes"]) > 50_000 or share(row["path"], "positions") > 0.15:
            continue
        manifest = corpus_manifest(row["path"])
        nodes = check.compose_tolerantly(manifest.text, manifest.is_json) if manifest.documents else []
        for document in manifest.documents:
            for pointer, _ in places(document.value, ""):
                lines = check.node_lines(nodes, document.index, pointer, manifest.text)
                line, column = document.position(pointer)
                assert not lines or any(first <= line <= last for first, last in lines), (row["path"], pointer)
                assert column >= 1
                seen += bool(lines)

    assert seen > 1000
