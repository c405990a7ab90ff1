"""From `git push` to a finished run with nothing faked: the GitHub emulator, the host process, Azurite, the real rules.

Between the program and the emulator stands a gateway (tests/gateway.py), which fails chosen requests of the program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from emulate_support import APP_ID, APP_OWNER, INSTALLATION, SECRET, TOKEN, Emulate, Repository, deliver, pull_payload, push_payload
from funchost_harness import Served
from gateway import Reply
from test_pipeline_host import ROOT, azurite, context, done, fixed_by_command, result_of, serve, wait_until  # noqa: F401 - fixtures

from funchost.azurite import Azurite
from shared.pipeline import names, status
from shared.pipeline.context import Context

SHOP = {p.name: p.read_bytes() for p in sorted((ROOT / "samples" / "k3s-shop").glob("*.yaml"))} | {
    "empty.yaml": b"",
    "nä me.yaml": "# ä\n".encode(),
}
NONE = "0" * 40


def github(emulate: Emulate) -> dict[str, str]:
    """Settings of the app; no pause between writes, which the emulator does not ask for."""
    return {"GITHUB_API_URL": emulate.github.url, "GITHUB_WEBHOOK_SECRET": SECRET, "GITHUB_PAUSE_SECONDS": "0"}


@pytest.fixture
def host(emulate: Emulate, azurite: Azurite, context: Context, tmp_path: Path) -> Iterator[Served]:  # noqa: F811
    """The function app, reading from the emulator with a token."""
    with serve(azurite, tmp_path, GITHUB_TOKEN=TOKEN, **github(emulate)) as running:
        yield running
        print(running.text()[-20_000:])  # shown where the test fails


def webhook(host: Served) -> str:
    return f"http://127.0.0.1:{host.port}/api/github/webhook"


def repository_of(emulate: Emulate, host: Served, files: dict[str, Any], **options: Any) -> Repository:
    """A repository whose webhook is registered."""
    made = emulate.repository(files, **options)
    made.hook(webhook(host))
    return made


def wait_for(context: Context, runs: int, seconds: float = 120) -> list[str]:  # noqa: F811
    wait_until(lambda: len(done(context)) >= runs, f"{runs} runs end", seconds)
    return done(context)


def ended(context: Context, run: str) -> dict[str, Any]:  # noqa: F811
    """The status of a run that must be a good one."""
    found = status.run_status(context, run)
    assert found is not None
    assert (found["state"], found["errors"]) == ("done", []), found
    return found


def origin(context: Context, run: str) -> dict[str, Any]:  # noqa: F811
    found = context.blobs.read(names.RUNS, names.origin(run), max_bytes=10**6)
    assert found is not None
    return dict(json.loads(found[0]))


def settled(context: Context) -> bool:  # noqa: F811
    """No message is on its way (those that wait for their time count too)."""
    return all(not context.queue._queues.get_queue_client(q).get_queue_properties().approximate_message_count for q in names.QUEUES)  # type: ignore[attr-defined]


def test_a_push_becomes_a_run_whatever_is_delivered_again(emulate: Emulate, host: Served, context: Context, tmp_path: Path) -> None:  # noqa: F811
    repository = repository_of(emulate, host, {"README.md": "hello\n"})
    before = repository.head()
    commit = repository.push({f"deploy/{path}": data for path, data in SHOP.items()})
    (run,) = wait_for(context, 1)

    shown = ended(context, run)
    assert shown["app"] == repository.name.partition("/")[2]
    assert (origin(context, run)["commit"], origin(context, run)["repository"]) == (commit, repository.name)
    files, report = result_of(context, run)
    expected, expected_report = fixed_by_command({"README.md": b"hello\n"} | {f"deploy/{p}": d for p, d in SHOP.items()}, tmp_path)
    assert files == expected
    assert report["files"] == expected_report["files"]

    payload, url = push_payload(repository.name, before, commit), webhook(host)
    first = deliver(url, "push", payload, delivery="twice")
    assert (first[0], json.loads(first[1])) == (202, {"status": "queued"})
    assert json.loads(deliver(url, "push", payload, delivery="twice")[1]) == {"status": "duplicate"}
    assert deliver(url, "push", payload, secret="another")[0] == 401
    assert deliver(url, "push", payload, X_Hub_Signature_256=None)[0] == 401
    assert deliver(url, "ping", {"zen": "Design for failure."})[0] == 200
    assert json.loads(deliver(url, "push", push_payload(repository.name, commit, NONE))[1])["reason"] == "the branch was deleted"
    repository.push({"a.yaml": "kind: x\n"}, branch="aks-copilot/shop")
    repository.push({"a.yaml": "kind: y\n"}, branch="aks-copilot/shop")  # the second push to a branch is delivered
    repository.push({"z.txt": "no manifest\n"})
    wait_until(lambda: len(list(context.blobs.list(names.RUNS, "ignored/"))) == 1, "the last push is looked at", 60)
    assert done(context) == [run]
    assert_nothing_secret(context, host)


def test_as_a_github_app_with_two_applications(emulate: Emulate, azurite: Azurite, context: Context, tmp_path: Path) -> None:  # noqa: F811
    settings = "repository:\n  source: k3s\n  applications:\n    - path: deploy/shop\n    - {path: deploy/blog, results: check}\n"
    files = {f"deploy/{app}/{path}": data for app in ("shop", "blog") for path, data in SHOP.items()} | {".aks-copilot.yaml": settings}
    files["deploy/shop/huge.yaml"] = b"a: 1\n" * 30_000
    app = {"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": emulate.app_key, "MAX_FILE_BYTES": "100000"}
    with serve(azurite, tmp_path, **github(emulate), **app) as host:
        repository = repository_of(emulate, host, {"README.md": "hello\n"}, owner=APP_OWNER, private=True)
        repository.push(files)
        assert sorted(names.app_of(run) for run in wait_for(context, 2)) == ["blog", "shop"]
        repository.push({"deploy/blog/extra.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n"})
        runs = wait_for(context, 3)
        base = repository.head()
        head = repository.push({"deploy/shop/extra.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n"}, branch="feature")
        number = repository.open_pull("feature")["number"]
        (pulled,) = set(wait_for(context, 4)) - set(runs)
        assert_nothing_secret(context, host, emulate.app_key[40:80])

    assert sorted(names.app_of(run) for run in runs) == ["blog", "blog", "shop"]
    shown = origin(context, pulled)
    assert (names.app_of(pulled), shown["commit"], shown["before"], shown["pullRequest"]) == ("shop", head, base, number)
    assert {origin(context, run)["installation"] for run in [*runs, pulled]} == {INSTALLATION}
    assert len(emulate.github.calls("POST", "/access_tokens$")) <= 3  # one a process, whatever is read
    for run in [*runs, pulled]:
        ended(context, run)
    refused = {f["path"]: f["reason"] for f in result_of(context, pulled)[1]["files"] if f["status"] == "refused"}
    assert refused == {"huge.yaml": "The file is larger than 100000 bytes."}


def test_a_force_push_and_more_than_three_hundred_files(emulate: Emulate, host: Served, context: Context) -> None:  # noqa: F811
    settings = "repository: {applications: [{path: many}, {path: one}]}\n"
    repository = repository_of(emulate, host, {".aks-copilot.yaml": settings, "one/a.yaml": "a: 1\n", "many/a.yaml": "a: 1\n"})
    base = repository.head()
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n"
    repository.push({f"many/{n:03d}.yaml": config % n for n in range(320)})
    runs = wait_for(context, 2)
    assert sorted(names.app_of(run) for run in runs) == ["many", "one"]  # the comparison was cut, so both are looked at
    (many,) = [run for run in runs if names.app_of(run) == "many"]
    assert ended(context, many)["files"] == 321

    repository.push({"one/b.yaml": "b: 1\n"}, force_onto=base)
    forced = set(wait_for(context, 4)) - set(runs)
    assert sorted(names.app_of(run) for run in forced) == ["many", "one"]
    (many,) = [run for run in forced if names.app_of(run) == "many"]
    assert ended(context, many)["files"] == 1


def errors(emulate: Emulate) -> None:
    emulate.github.fail("GET", "/compare/", 502, times=1)
    emulate.github.fail("GET", "/git/blobs/", 500, times=2)


def pauses(emulate: Emulate) -> None:
    limited = Reply(403, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "1"})
    emulate.github.answer("GET", "/git/trees/", limited, times=2)
    emulate.github.fail("GET", "/git/blobs/", 429, times=3, Retry_After="1")


def silence(emulate: Emulate) -> None:
    emulate.github.answer("GET", "/git/commits/", Reply(drop=True), times=1)
    emulate.github.answer("GET", "/git/blobs/", Reply(drop=True), times=1)


@pytest.mark.parametrize("fault", [errors, pauses, silence])
def test_github_failing_in_the_middle_loses_and_doubles_nothing(
    fault: Callable[[Emulate], None],
    emulate: Emulate,
    host: Served,
    context: Context,  # noqa: F811
) -> None:
    repository = repository_of(emulate, host, {"README.md": "hello\n"})
    fault(emulate)
    commit = repository.push({f"deploy/{path}": data for path, data in SHOP.items()})
    (run,) = wait_for(context, 1, 200)

    files, _ = result_of(context, run)
    assert {f"deploy/{path}" for path in SHOP} <= set(files)
    assert origin(context, run)["commit"] == commit
    blobs = [seen.path.rpartition("/")[2] for seen in emulate.github.calls("GET", "/git/blobs/")]
    assert len(blobs) <= len(SHOP) + 1 + 4, "what was read before the fault is not read again"
    wait_until(lambda: settled(context), "no message is left", 60)
    assert done(context) == [run]


def test_settings_that_cannot_be_used_and_a_pull_request_of_a_fork(emulate: Emulate, host: Served, context: Context) -> None:  # noqa: F811
    repository = repository_of(emulate, host, {"a.yaml": "a: 1\n", ".aks-copilot.yaml": "repository: {results: check}\n"})
    base = repository.head()
    repository.push({".aks-copilot.yaml": "repository:\n  result: none\n"})
    (failed,) = wait_for(context, 1)
    shown = status.run_status(context, failed)
    assert shown is not None
    assert shown["state"] == "failed"
    assert shown["errors"][-1]["error"] == ".aks-copilot.yaml:2: repository.result: Extra inputs are not permitted"

    head = repository.push({"a.yaml": "a: 2\n"}, branch="theirs", force_onto=base)
    pull = {"number": 9, "head": {"ref": "theirs", "sha": head, "repo": {"full_name": "eve/fork"}}, "base": {"ref": "main", "sha": base}}
    deliver(webhook(host), "pull_request", pull_payload(repository.name, pull, "synchronize"))
    (run,) = set(wait_for(context, 2)) - {failed}
    shown = origin(context, run)
    assert (shown["fork"], shown["pullRequest"], shown["results"]) == (True, 9, "check")


def assert_nothing_secret(context: Context, host: Served, *more: str) -> None:  # noqa: F811
    """No credential is in the host's log, a blob or a message."""
    secrets = (TOKEN, SECRET, *more)
    texts = {"log": host.text()}
    for container in names.CONTAINERS:
        for blob in context.blobs.list(container, ""):
            found = context.blobs.read(container, blob.name, max_bytes=10**8)
            texts[f"{container}/{blob.name}"] = (found[0] if found else b"").decode("utf-8", "replace")
    assert [
        place for place, text in texts.items() if any(secret in text for secret in secrets) or re.search(r"ghs_[A-Za-z0-9_-]{20}", text)
    ] == []
