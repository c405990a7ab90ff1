"""Every edit of every real manifest is made and proven, and the judge finds the rest of the text untouched.

The default run takes a sample that is the same on every machine; AKS_CORPUS_SHARE=1 takes every edit of every path.
"""

from __future__ import annotations

import collections
import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
from manifest_support import JUDGE, corpus_index, corpus_manifest, judged_miss, needs_corpus, operation, share

from shared.domain import pointer
from shared.domain.editor import apply_operations, prove
from shared.domain.errors import EditRefused
from shared.domain.manifest import Manifest
from shared.domain.model import PatchOperation

SHARE = float(os.environ.get("AKS_CORPUS_SHARE", "0.0015"))
MOST_BYTES = 100_000
REFUSED_AT_MOST = 0.01
NESTED = {"z": "yes", "list": ["a", {"k": "1e3", "m": "x: y"}], "text": "one\n  two\n", "none": {}, "null": None, "f": 1.5}

pytestmark = needs_corpus


def places(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict | list):
        for token, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, pointer.child(path, token))


def edits(path: str, value: Any) -> Iterator[tuple[str, PatchOperation]]:
    """One edit of each kind that a place allows."""
    yield "replace by a mapping", operation("replace", path, copy.deepcopy(NESTED))
    if path.count("/") > 1:
        yield "remove", operation("remove", path)
        yield "replace by a scalar", operation("replace", path, 7 if isinstance(value, int) else "new # value")
    if isinstance(value, dict):
        yield "add a key", operation("add", path + "/zz-new", "v1")
        yield "add a nested key", operation("add", path + "/zz-new", copy.deepcopy(NESTED))
        yield "replace by a similar mapping", operation("replace", path, {**dict(list(value.items())[1:]), "zz": [1]})
    if isinstance(value, list):
        yield "append", operation("add", path + "/-", "v1")
        yield "append a mapping", operation("add", f"{path}/{len(value)}", copy.deepcopy(NESTED))
        yield "insert", operation("add", path + "/0", copy.deepcopy(NESTED))
    if isinstance(value, str):
        yield "replace by lines", operation("replace", path, "a\nb\n")


def sampled(path: str, manifest: Manifest) -> Iterator[tuple[str, PatchOperation]]:
    for document in manifest.documents:
        for place, value in places(document.value, f"/{document.index}"):
            for kind, wanted in edits(place, value):
                if share(path, place, kind) < SHARE:
                    yield kind, wanted


def check(manifest: Manifest, wanted: PatchOperation) -> str | None:
    """None where the edit is made, proven and clean; the reason where it is refused. Raises ProofFailed."""
    try:
        after = apply_operations(manifest, [wanted])
    except EditRefused as refusal:
        return str(refusal)
    prove(manifest, [wanted], after)
    assert not JUDGE.is_file() or judged_miss(manifest, [wanted], after) is None, (manifest.path, wanted.rfc6902())
    return None


@pytest.mark.parametrize("source", ["k3s", "okd", "other"])
def test_edits_of_real_manifests_are_proven(source: str, record_property: pytest.RecordProperty) -> None:
    made, refused = 0, collections.Counter[str]()
    for row in corpus_index():
        if row["source"] != source or int(row["bytes"]) > MOST_BYTES:
            continue
        manifest = corpus_manifest(row["path"])
        for _, wanted in sampled(row["path"], manifest):
            made += 1
            reason = check(manifest, wanted)
            refused.update([reason] if reason else [])
    record_property("edits", made)
    record_property("refused", refused.total())
    print(f"{source}: {made} edits, {refused.total()} refused: {dict(refused)}")

    assert made > 50
    assert refused.total() <= REFUSED_AT_MOST * made, refused


def test_a_large_manifest_is_read_and_edited_in_seconds(record_property: pytest.RecordProperty) -> None:
    import time

    largest = max(corpus_index(), key=lambda row: int(row["bytes"]) if row["kubectl"] == "ok" else 0)
    started = time.process_time()
    manifest = corpus_manifest(largest["path"])
    read = time.process_time() - started
    wanted = [operation("replace", "/0/kind", "Other"), operation("add", f"/{len(manifest.documents) - 1}/zz", {"a": 1})]
    prove(manifest, wanted, apply_operations(manifest, wanted))
    seconds = time.process_time() - started
    record_property("read MB/s", len(manifest.data) / 1e6 / read)

    assert len(manifest.data) > 1_000_000
    assert read < 5
    assert seconds < 20
