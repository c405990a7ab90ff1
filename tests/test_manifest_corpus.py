"""Every file of the real corpus is read as kubectl and the judge read it, or is refused or skipped with a reason.

AKS_CORPUS_SHARE=1 asks kubectl about every file, not only about a sample.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import Any

import pytest
from manifest_support import CORPUS, JUDGE, corpus_index, corpus_manifest, judge, needs_corpus, share
from test_manifest_values import json_stream

from shared.domain.editor import equal
from shared.domain.manifest import resources

SHARE = float(os.environ.get("AKS_CORPUS_SHARE", "0.06"))
UNREADABLE = {"helm-template", "unparsable"}

pytestmark = needs_corpus


def test_every_manifest_is_read_or_has_a_reason() -> None:
    without_reason = [r["path"] for r in corpus_index() if (m := corpus_manifest(r["path"])).status != "manifest" and not m.reason]
    unread = [
        (row["path"], manifest.reason)
        for row in corpus_index()
        if row["class"] == "manifest" and row["kubectl"] == "ok" and (manifest := corpus_manifest(row["path"])).status != "manifest"
    ]
    excused = ("Encrypted by SOPS", "duplicate key", "An unrendered template")

    assert without_reason == []
    assert [found for found in unread if not any(words in str(found[1]) for words in excused)] == []


def test_nothing_else_is_taken_for_a_manifest() -> None:
    others = [r for r in corpus_index() if r["class"] != "manifest"]

    assert [(r["path"], r["class"]) for r in others if corpus_manifest(r["path"]).status == "manifest"] == []
    assert [r["path"] for r in others if r["class"].startswith("noise") and corpus_manifest(r["path"]).status != "skipped"] == []
    assert [r["path"] for r in others if r["class"] in UNREADABLE and corpus_manifest(r["path"]).documents] == []


@pytest.mark.skipif(not JUDGE.is_file(), reason="no judge beside the project")
def test_values_are_those_of_the_judge() -> None:
    small = [row["path"] for row in corpus_index() if int(row["bytes"]) < 60_000]
    different = []
    for path in small:
        manifest = corpus_manifest(path)
        if manifest.documents and not equal(judge().documents(CORPUS / path), [d.value for d in manifest.documents]):
            different.append(path)

    assert different == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")
def test_objects_are_those_of_kubectl(record_property: pytest.RecordProperty) -> None:
    asked, different = 0, []
    for row in corpus_index():
        manifest = corpus_manifest(row["path"])
        if row["kubectl"] != "ok" or not manifest.documents or share(row["path"], "kubectl") > SHARE:
            continue
        asked += 1
        ours = [plain(found) for document in manifest.documents for _, found in resources(document)]
        if not equal(ours, [plain(found) for found in by_kubectl(row["path"])]):
            different.append(row["path"])
    record_property("asked", asked)

    assert asked > 20
    assert different == []


def by_kubectl(path: str) -> list[Any]:
    command = ["kubectl", "annotate", "--local", "--show-managed-fields", "-f", str(CORPUS / path), "x-oracle=1", "-o", "json"]
    return json_stream(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def plain(found: dict[str, Any]) -> dict[str, Any]:
    """An object without the annotation that the question itself adds, and without what is empty because of it."""
    meta = dict(found.get("metadata") or {})
    notes = {k: v for k, v in (meta.pop("annotations", None) or {}).items() if k != "x-oracle"}
    return {**found, "metadata": meta | ({"annotations": notes} if notes else {})}


def test_reading_is_fast(record_property: pytest.RecordProperty) -> None:
    data = {row["path"]: (CORPUS / row["path"]).read_bytes() for row in corpus_index()}
    started = time.process_time()
    for path in data:
        corpus_manifest(path)
    speed = sum(map(len, data.values())) / 1e6 / (time.process_time() - started)
    record_property("MB/s", round(speed, 2))
    print(f"reading: {speed:.1f} MB/s")

    assert speed > 0.5
