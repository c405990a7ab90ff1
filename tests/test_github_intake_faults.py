"""From a delivery to runs, on bad days: settings that cannot be used, what GitHub does not show, outages, crashes, repetitions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from emulate_support import push_payload
from intake_support import MONO, NONE, SHOP, Site, apps

from shared.domain.code_host import NotFoundError
from shared.domain.errors import CriticalError, TransientError
from shared.pipeline import names


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({".aks-copilot.yaml": "repository:\n  result: none\n"}, ".aks-copilot.yaml:2: repository.result: Extra inputs are not permitted"),
        ({".aks-copilot.yaml": "a: [\n"}, ".aks-copilot.yaml:2: not readable as YAML"),
        ({".aks-copilot.yaml": "repository: {applications: [{path: gone}]}\n"}, "acme/shop has no folder gone"),
        ({".aks-copilot.yaml": "repository: {target: gone.yaml}\n"}, "acme/shop has no file gone.yaml, the target of shop"),
        ({f"many/{n}.yaml": "a: 1\n" for n in range(1001)}, "more than 1000 files: name the folders of manifests"),
    ],
    ids=["unknown key", "broken", "no such folder", "no such target", "too many files"],
)
def test_what_is_wrong_with_the_repository_is_a_failed_run_that_says_so(files: dict[str, str], words: str) -> None:
    site = Site(SHOP | files)
    site.push(NONE)
    assert site.world.runs() == []
    (error,) = site.failed()
    assert words in error
    (origin,) = [json.loads(d) for name, d in site.world.blobs.texts(names.RUNS).items() if name.endswith("/origin.json")]
    assert origin["commit"] == site.first


def test_a_repository_that_the_program_cannot_see_is_a_failed_run() -> None:
    site = Site()
    site.deliver(push_payload("acme/private", site.first, site.head))
    assert ["not visible" in error for error in site.failed()] == [True]


def test_a_commit_that_github_does_not_show_yet_is_looked_for_again() -> None:
    site = Site()
    hidden = [3]

    def lag(call: str) -> None:
        if call.startswith("commit") and hidden[0]:
            hidden[0] -= 1
            raise NotFoundError("not found on GitHub")

    site.code.before_call = lag
    started = site.world.queue.now
    site.push(NONE)
    assert apps(site) == ["shop"]
    assert 30 < site.world.queue.now - started < 60
    assert site.failed() == []


def test_a_comparison_that_github_never_finishes_is_done_without() -> None:
    site = Site(MONO)

    def too_large(call: str) -> None:
        if call.startswith("compare"):
            raise TransientError("GitHub is not available (500)")

    site.code.before_call = too_large
    site.change({"deploy/blog/app.yaml": "kind: BAD\n# now\n"})
    site.push()
    assert apps(site) == ["blog", "shop"]


def test_without_credentials_the_message_is_parked() -> None:
    site = Site()

    def refuse(call: str) -> None:
        raise CriticalError("no credentials for GitHub")

    site.code.before_call = refuse
    site.push(NONE)
    (lost,) = [
        json.loads(d) for name, d in site.world.blobs.texts(names.RUNS, "lost/").items() if "intake-" in name and "error" in json.loads(d)
    ][:1]
    assert "no credentials for GitHub" in lost["error"]
    assert site.world.runs() == []


def outage(calls: int, error: Callable[[], Exception]) -> Callable[[str], None]:
    """Every other call fails, the first `calls` times."""
    left = [calls, 0]

    def before(call: str) -> None:
        left[1] += 1
        if left[0] and left[1] % 2:
            left[0] -= 1
            raise error()

    return before


def refused(word: str) -> Callable[[str], None]:
    """Calls of one kind are refused."""

    def before(call: str) -> None:
        if call.startswith(word):
            raise CriticalError("GitHub refuses (403)")

    return before


@pytest.mark.parametrize("word", ["commit", "tree", "blob"])
def test_redelivering_works_once_the_cause_is_gone(word: str) -> None:
    """GitHub redelivers under the same id."""
    site = Site()
    site.code.before_call = refused(word)
    payload = push_payload("acme/shop", NONE, site.head)
    assert site.deliver(payload, delivery="same")[1] == {"status": "queued"}
    assert site.world.runs() == []

    site.code.before_call = lambda call: None
    assert site.deliver(payload, delivery="same")[1] == {"status": "queued"}
    (run,) = site.world.runs()
    assert site.failed() == []
    assert site.world.report(run)["deploy/app.yaml"]["status"] == "patched"
    assert site.deliver(payload, delivery="same")[1] == {"status": "duplicate"}
    site.world.queue.now += 3600
    assert site.deliver(payload, delivery="same")[1] == {"status": "queued"}  # a replay: the run exists
    assert site.world.runs() == [run]


@pytest.mark.parametrize(
    "error",
    [lambda: TransientError("GitHub is not available (500)"), lambda: TransientError("GitHub asks for a pause (429)", 600)],
    ids=["500", "429"],
)
def test_an_outage_in_the_middle_loses_and_doubles_nothing(error: Callable[[], Exception]) -> None:
    calm, stormy = Site(MONO), Site(MONO)
    calm.push(NONE)
    stormy.code.before_call = outage(12, error)
    stormy.push(NONE)
    assert stormy.world.runs() == calm.world.runs()
    assert {run: stormy.world.report(run) for run in stormy.world.runs()} == {run: calm.world.report(run) for run in calm.world.runs()}
    assert stormy.world.errors == []  # nothing was left to the host's few tries


def test_a_crash_at_every_write_ends_in_the_same_runs() -> None:
    calm = Site(MONO)
    calm.push(NONE)
    writes = calm.world.fuse.count
    assert writes > 30
    for at in range(1, writes + 1):
        for after in (False, True):
            site = Site(MONO)
            site.world.fuse.at, site.world.fuse.after = at, after
            site.push(NONE)
            assert site.world.crashes == 1
            assert site.world.runs() == calm.world.runs(), (at, after)
            assert site.world.blobs.texts(names.PATCHED) == calm.world.blobs.texts(names.PATCHED)


def test_every_message_twice_and_in_any_order() -> None:
    calm = Site(MONO)
    calm.push(NONE)
    for seed in range(20):
        site = Site(MONO, copies=2, seed=seed)
        site.push(NONE)
        assert site.world.runs() == calm.world.runs()
        assert site.world.blobs.texts(names.PATCHED) == calm.world.blobs.texts(names.PATCHED)


def test_content_that_is_not_what_was_listed_is_not_used() -> None:
    site = Site()
    sha = next(sha for sha, data in site.code.blobs.items() if data == b"print()\n")
    site.code.blobs[sha] = b"print(1)"
    site.push(NONE)
    assert site.world.runs() == []
