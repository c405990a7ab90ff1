"""Texts around the report of a pull request, and names of files."""

from __future__ import annotations

import subprocess

import pytest

from shared.domain.code_writer import blob_name
from shared.domain.gitops import Watcher
from shared.domain.layout import Layout
from shared.domain.model import FileOutcome, PatchOperation, SourceFinding
from shared.domain.pull_text import marker, paragraphs, pull_body, result_in
from shared.domain.report.pull_request import LIMIT, length
from shared.domain.run import RunSetup

SETUP = RunSetup("shop-000000000000", "shop", SourceFinding("k3s", ()), {"title": "AKS", "layout": "auto"}, {}, {}, False)


def replace_at(path: str, value: str, rule: str) -> PatchOperation:
    return PatchOperation("replace", path, rule, value)


def patched(operations: list[PatchOperation], path: str = "a.yaml") -> FileOutcome:
    return FileOutcome(path, "patched", None, 1, (), tuple(operations))


def test_the_result_is_read_back_from_the_body() -> None:
    text = pull_body(SETUP, [], {}, above=["Hello."], result="abc", report_url="https://copilot.example/1")

    assert text.startswith("Hello.\n\n[The whole report](<https://copilot.example/1>)")
    assert result_in(text) == "abc"
    assert result_in("edited by somebody") is None
    assert result_in(f"{marker('run', 'quoted')} {text}") == "abc"


def test_a_body_stays_below_githubs_limit_whatever_is_left() -> None:
    layout = Layout("in-place", "d" * 3000, "d" * 3000, "m" * 255)
    left = [f"{n}/{'x' * 900}`<!-- -->" for n in range(400)]
    found = [Watcher("Argo CD", "n" * 500, "p" * 900)] * 300
    outcomes = [FileOutcome(f"{n}-{'y' * 200}.yaml", "refused", "z" * 300) for n in range(2000)]

    text = pull_body(SETUP, outcomes, {}, above=paragraphs(layout, found, left), result="abc")

    assert length(text) <= LIMIT
    assert result_in(text) == "abc"
    assert "- and 380 more" in text


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\xff\x00"])
def test_names_of_files_are_gits(data: bytes) -> None:
    made = subprocess.run(["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True)

    assert blob_name(data) == made.stdout.decode().strip()
