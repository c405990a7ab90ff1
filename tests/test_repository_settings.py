"""The key `repository`: where applications are, which branches count, whom a change concerns, what is wrong with it."""

from __future__ import annotations

import pytest

from shared.domain.decisions import read_decisions
from shared.domain.errors import ValidationError
from shared.domain.repository import Application, RepositorySettings, of_manifests, read_settings, touched

WHOLE = b"""version: 1
repository:
  branches: [main, "release/*"]
  source: k3s
  results: check
  applications:
    - path: ./deploy/shop/
    - path: deploy/Blog App
      source: okd
      target: targets/blog.yaml
      results: pull-request
      layout: overlay
    - {path: other, app: third}
"""


def test_defaults() -> None:
    for data in (None, b"", b"version: 1\nregistries: {a: b}\n", b"repository:\n", b"- a list\n"):
        settings = read_settings(data)
        assert settings == RepositorySettings()
        (one,) = settings.all("acme/Web.Shop")
        assert one == Application(path=".", app="web-shop", results="pull-request")


def test_what_an_application_does_not_say_the_repository_says() -> None:
    shop, blog, third = read_settings(WHOLE).all("acme/mono")
    assert shop == Application(path="deploy/shop", app="shop", source="k3s", results="check")
    assert blog == Application(
        path="deploy/Blog App", app="blog-app", source="okd", target="targets/blog.yaml", results="pull-request", layout="overlay"
    )
    assert (third.path, third.app) == ("other", "third")


@pytest.mark.parametrize(
    ("data", "branch", "watched"),
    [
        (b"", "main", True),
        (b"", "feature", False),
        (b"", "we[i]rd*", False),
        (WHOLE, "main", True),
        (WHOLE, "release/1", True),
        (WHOLE, "releases", False),
        (b'repository: {branches: ["*"]}', "a/b/c", True),
    ],
)
def test_branches(data: bytes, branch: str, *, watched: bool) -> None:
    assert read_settings(data).watches(branch, "main") is watched


def test_a_default_branch_is_no_pattern() -> None:
    assert read_settings(None).watches("we[i]rd*", "we[i]rd*")
    assert not read_settings(None).watches("weird-anything", "we[i]rd*")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["deploy/shop/a.yaml"], ["shop"]),
        (["deploy/shop/README.md", "other/x"], ["shop", "third"]),
        (["deploy/shopping/a.yaml", "README.md"], []),
        (["targets/blog.yaml"], ["blog-app"]),
        ([".aks-copilot.yaml"], ["shop", "blog-app", "third"]),
        ([], []),
    ],
)
def test_a_change_concerns(paths: list[str], expected: list[str]) -> None:
    assert [one.app for one in touched(read_settings(WHOLE).all("acme/mono"), paths)] == expected


@pytest.mark.parametrize(
    ("paths", "concerned"),
    [
        (["src/main.py", "README.md"], False),
        (["src/main.py", "deploy/app.yml"], True),
        (["chart.json"], True),
        (["k/overlay/app.properties"], True),
        (["k/app.properties"], False),
        ([".github/workflows/ci.yaml"], False),
        ([".aks-copilot.yaml"], True),
    ],
)
def test_of_a_repository_that_says_nothing_manifests_count(paths: list[str], *, concerned: bool) -> None:
    files = ["src/main.py", "k/overlay/kustomization.yaml", "k/overlay/app.properties", "deploy/app.yml"]
    assert bool(list(of_manifests(paths, lambda: files))) is concerned


def test_a_change_of_manifests_needs_no_listing() -> None:
    def listing() -> list[str]:
        raise AssertionError("the whole repository is listed")

    assert list(of_manifests(["a.yaml"], listing)) == ["a.yaml"]
    assert list(of_manifests([".github/workflows/ci.yaml", ".idea/x"], listing)) == []


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"version: 1\nrepository: yes\n", 2, "repository"),
        (b"repository:\n  branchs: [main]\n", 2, "repository.branchs: Extra inputs are not permitted"),
        (b"repository:\n  results: pr\n", 2, "repository.results: Input should be 'pull-request', 'check' or 'none'"),
        (b"repository:\n  applications:\n    - path: ../x\n", 3, "path leaves the application's folder"),
        (b"repository:\n  applications:\n    - path: a\n    - path: /etc\n", 4, "absolute path"),
        (b"repository:\n  applications:\n    - {path: a, app: Shop}\n", 3, "repository.applications.0.app"),
        (b"repository:\n  applications:\n    - path: a\n    - path: a/b\n", 1, "the applications a and a/b have files in common"),
        (b"repository:\n  applications:\n    - path: .\n    - path: b\n", 1, "the applications . and b have files in common"),
        (b"repository:\n  applications:\n    - path: a/x\n    - path: b/x\n", 2, "two applications are named x"),
        (b"repository:\n  branches: main\n", 2, "repository.branches"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(data: bytes, line: int, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        read_settings(data)
    assert str(raised.value).startswith(f".aks-copilot.yaml:{line}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(ValidationError, match="repository"):
        read_decisions(data)


@pytest.mark.parametrize("data", [b"a: [", b"\xff", b"a: 2026-99-99\n", b"&a [*a", b"x" * 300_000], ids=lambda data: data[:8].hex())
def test_a_file_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(ValidationError, match=r"^\.aks-copilot\.yaml"):
        read_settings(data)
