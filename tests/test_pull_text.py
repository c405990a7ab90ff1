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


@pytest.mark.parametrize(
    ("source", "path", "created", "read"),
    [
        ("", "deploy", ["shop-aks/aks-gateway.yaml"],
         "on AKS, let it read `shop-aks/deploy`, and `shop-aks/aks-gateway.yaml`, which it needs and which lies outside of it."),
        ("", "deploy", ["shop-aks/deploy/aks-gateway.yaml"], "on AKS, let it read `shop-aks/deploy`."),
        ("apps", "apps", ["apps-aks/aks-gateway.yaml"], "on AKS, let it read `apps-aks`."),
        ("apps", "apps/web", [], "on AKS, let it read `apps-aks/web`."),
        ("apps", "other", [], "It reads `other`, where this pull request changes nothing."),
    ],
)  # fmt: skip
def test_a_gitops_tool_is_told_the_folder_that_takes_the_place_of_its_own(source: str, path: str, created: list[str], read: str) -> None:
    layout = Layout("folder", source, f"{source or 'shop'}-aks", "main")

    first = paragraphs(layout, [Watcher("Argo CD", "shop", path)], [], created=created)[0]

    assert first.startswith("**Argo CD of the source cluster (`shop`) reads `main`.** ")
    assert first.endswith(read)


def test_questions_alone_point_to_no_folder_that_is_not_there() -> None:
    folder = paragraphs(Layout("folder", "", "shop-aks", "main"), [Watcher("Argo CD", "shop", "")], [], "main", written=False)
    place = paragraphs(Layout("in-place", "", "", "main"), [], [], "main", written=False)

    assert folder[0] == "No manifest changes yet: the questions come first. What the answers change will be in `shop-aks`."
    assert place[0] == "No manifest changes yet: the questions come first."
    assert not any("point AKS there" in text or "Merge" in text or "merge when" in text for text in (*folder, *place))


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\xff\x00"])
def test_names_of_files_are_gits(data: bytes) -> None:
    made = subprocess.run(["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True)

    assert blob_name(data) == made.stdout.decode().strip()
