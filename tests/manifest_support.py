"""The real corpus and the black-box judge, where they are on the machine; small makers of operations and manifests."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from shared.domain.manifest import Manifest, read_manifest
from shared.domain.model import PatchOperation

BESIDE = Path(__file__).parents[1].parent / "shared"
CORPUS = Path(os.environ.get("AKS_CORPUS", BESIDE / "corpus"))
JUDGE = BESIDE / "checks" / "check_fix.py"
HEAD = "apiVersion: v1\nkind: Thing\n"
OLD_CRON = """\
apiVersion: batch/v1beta1   # old
kind: CronJob
metadata: {name: tidy}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: tidy, image: ghcr.io/acme/tidy:1.2.3}
"""

needs_corpus = pytest.mark.skipif(not (CORPUS / "INDEX.tsv").is_file(), reason=f"no corpus of real manifests at {CORPUS}")
needs_judge = pytest.mark.skipif(not JUDGE.is_file(), reason=f"no judge at {JUDGE}")


@cache
def judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_fix", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_fix"] = module
    spec.loader.exec_module(module)
    return module


@cache
def corpus_index() -> list[dict[str, str]]:
    with (CORPUS / "INDEX.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def corpus_manifest(path: str) -> Manifest:
    return read_manifest(path, (CORPUS / path).read_bytes())


def share(*parts: object) -> float:
    """A number in [0, 1) that the parts decide: a sample that is the same on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:6], "big") / 2**48


def operation(op: Any, path: str, *value: Any) -> PatchOperation:
    return PatchOperation(op, path, "AKS0000", *value)


def thing(body: str, path: str = "a.yaml") -> Manifest:
    """A manifest of one object with this text below its apiVersion and kind."""
    return read_manifest(path, (HEAD + body).encode())


def judged_miss(before: Manifest, operations: list[PatchOperation], after: bytes) -> str | None:
    """What the judge says of the text; None where it has nothing to say."""
    check = judge()
    values = [d.value for d in before.documents]
    replay = check.Replay(values, [o.rfc6902() for o in operations])
    raw = before.data.decode("utf-8", errors="surrogateescape")
    try:
        miss: str | None = check.text_miss(raw, after.decode("utf-8", errors="surrogateescape"), values, replay, before.is_json)
    except yaml.YAMLError:  # JSON that YAML cannot read: the judge does not check it
        return None
    return miss
