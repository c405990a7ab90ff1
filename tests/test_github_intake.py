"""From a delivery to runs, in memory: what each one starts, what is read for it, and what an outage or a crash changes (nothing)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from emulate_support import SECRET, pull_payload, push_payload, signature
from fake_code import FakeCode
from fakes import World

from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.code_host import NotFoundError
from shared.domain.errors import CriticalError, TransientError
from shared.pipeline import github_webhook, names, status

NONE = "0" * 40
SHOP = {"deploy/app.yaml": "kind: BAD\n", "deploy/notes.txt": "BAD\n", "src/main.py": "print()\n"}
SETTINGS = "repository:\n  applications:\n    - path: deploy/shop\n    - {path: deploy/blog, results: check, layout: overlay}\n"
MONO = {
    ".aks-copilot.yaml": SETTINGS,
    "deploy/shop/app.yaml": "kind: BAD\n",
    "deploy/blog/app.yaml": "kind: BAD\n",
    "README.md": "hello\n",
}


class Site:
    """A repository whose webhook is this program."""

    def __init__(self, files: Mapping[str, bytes | str] = SHOP, **world: Any) -> None:
        self.code = FakeCode()
        self.world = World(code=lambda: self.code, **world)
        self.first = self.code.add(files)
        self.files: dict[str, bytes | str] = dict(files)
        self.head, self.count = self.first, 0

    def change(self, files: Mapping[str, bytes | str | None], message: str = "A change", **more: Any) -> str:
        """Commit on the branch's head."""
        self.files = {path: data for path, data in (self.files | dict(files)).items() if data is not None}
        self.head = self.code.add(self.files, self.head, message, **more)
        return self.head

    def deliver(self, payload: Mapping[str, Any], event: str = "push", delivery: str | None = None) -> tuple[int, dict[str, str]]:
        """One delivery, handled to its end."""
        self.count += 1
        body = json.dumps(payload).encode()
        request = github_webhook.Delivery(body, event, delivery or f"d-{self.count}", signature(body), "application/json")
        secrets = EnvironmentSecrets({"GITHUB_WEBHOOK_SECRET": SECRET})
        answers: list[tuple[int, dict[str, str]]] = []
        self.world.process(lambda: answers.append(github_webhook.receive(self.world.context, secrets, request)))
        self.world.drain()
        return answers[-1]

    def push(self, before: str | None = None, branch: str = "main", **more: Any) -> tuple[int, dict[str, str]]:
        return self.deliver(push_payload("acme/shop", before or self.code.commits[self.head][2] or NONE, self.head, branch) | more)

    def pull(self, head: str, base: str, action: str = "opened", repo: str = "acme/shop", number: int = 7) -> tuple[int, dict[str, str]]:
        about = {
            "number": number,
            "head": {"ref": "feature", "sha": head, "repo": {"full_name": repo}},
            "base": {"ref": "main", "sha": base},
        }
        return self.deliver(pull_payload("acme/shop", about, action), "pull_request")

    def stored(self, name: str) -> Any:
        return json.loads(self.world.blobs.texts(names.RUNS)[name])

    def ignored(self) -> list[str]:
        return [json.loads(data)["reason"] for data in self.world.blobs.texts(names.RUNS, "ignored/").values()]

    def failed(self) -> list[str]:
        return [json.loads(d)["error"] for name, d in self.world.blobs.texts(names.RUNS).items() if name.endswith("/failed.json")]


def apps(site: Site) -> list[str]:
    return [names.app_of(run) for run in site.world.runs()]


def test_a_push_is_a_run_of_the_whole_repository_at_that_commit() -> None:
    site = Site()
    commit = site.change({"deploy/app.yaml": "kind: BAD\n# now\n"})
    assert site.push(installation={"id": 5}) == (202, {"status": "queued"})

    (run,) = site.world.runs()
    assert names.app_of(run) == "shop"
    assert site.world.report(run)["deploy/app.yaml"]["status"] == "patched"
    assert set(site.world.report(run)) == {*SHOP, "made.yaml"}
    assert site.world.blobs.texts(names.PATCHED)[f"{run}/deploy/app.yaml"] == b"kind: GOOD\n# now\n"
    assert site.stored(names.origin(run)).items() >= {
        "repository": "acme/shop", "installation": 5, "commit": commit, "ref": "refs/heads/main", "base": "main", "before": site.first,
        "pullRequest": None, "fork": False, "path": ".", "results": "pull-request", "layout": None, "failOn": "error",
        "codeScanning": False, "defaultBranch": "main", "target": None,
    }.items()  # fmt: skip
    assert site.stored(names.started(run))["origin"] == f"github/acme/shop@{commit}"
    shown = status.run_status(site.world.context, run)
    assert shown is not None
    assert shown["origin"] == site.stored(names.origin(run))


def test_only_the_applications_that_a_push_touches_are_looked_at() -> None:
    site = Site(MONO)
    site.change({"deploy/blog/app.yaml": "kind: BAD\n# now\n", "README.md": "more\n"})
    site.push()
    (run,) = site.world.runs()
    assert names.app_of(run) == "blog"
    assert {path for path in site.world.report(run) if path != "made.yaml"} == {"app.yaml"}
    origin = site.stored(names.origin(run))
    assert (origin["path"], origin["results"], origin["layout"]) == ("deploy/blog", "check", "overlay")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"README.md": "more\n"}, []),
        ({}, []),
        ({"deploy/shop/app.yaml": None, "deploy/shop/b.yaml": "a: 1\n"}, ["shop"]),
        ({"deploy/x.yaml": "a: 1\n", "deploy/shopping/app.yaml": "a: 1\n"}, []),
        ({".aks-copilot.yaml": SETTINGS + "# now\n"}, ["blog", "shop"]),
        ({f"deploy/blog/{n}.yaml": "a: 1\n" for n in range(299)}, ["blog"]),
        ({f"deploy/blog/{n}.yaml": "a: 1\n" for n in range(300)}, ["blog", "shop"]),  # GitHub may have left files out
    ],
    ids=["another file", "empty commit", "renamed", "beside", "settings", "299 files", "300 files"],
)
def test_what_a_push_concerns(change: dict[str, str | None], expected: list[str]) -> None:
    site = Site(MONO)
    site.change(change)
    site.push()
    assert apps(site) == expected
    assert site.ignored() == ([] if expected else ["no manifest of an application changed"])


@pytest.mark.parametrize("before", [NONE, "f" * 40], ids=["new branch", "the old commit is gone"])
def test_where_the_change_is_not_known_everything_is_looked_at(before: str) -> None:
    site = Site(MONO)
    site.change({"README.md": "more\n"})
    site.push(before)
    assert apps(site) == ["blog", "shop"]


def test_after_a_force_push_everything_is_looked_at() -> None:
    site = Site(MONO)
    lost = site.change({"deploy/blog/app.yaml": "kind: Fine\n"})
    site.head = site.code.add(MONO | {"README.md": "forced\n"}, site.first)
    site.push(lost, forced=True)
    assert apps(site) == ["blog", "shop"]


@pytest.mark.parametrize(
    ("settings", "branch", "watched"),
    [
        (None, "main", True),
        (None, "feature/x", False),
        ("repository: {branches: [release/*]}\n", "release/2", True),
        ("repository: {branches: [release/*]}\n", "main", False),
    ],
)
def test_watched_branches(settings: str | None, branch: str, *, watched: bool) -> None:
    site = Site(SHOP | ({".aks-copilot.yaml": settings} if settings else {}))
    site.change({"deploy/app.yaml": "kind: BAD\n# now\n"})
    site.push(branch=branch)
    assert bool(site.world.runs()) is watched
    assert site.ignored() == ([] if watched else [f"the branch {branch} is not watched"])


def test_a_renamed_default_branch_is_the_one_of_the_delivery() -> None:
    site = Site()
    site.change({"deploy/app.yaml": "kind: BAD\n# now\n"})
    site.push(branch="trunk", repository={"full_name": "acme/shop", "default_branch": "trunk"})
    assert apps(site) == ["shop"]


def test_the_programs_own_commit_starts_nothing_wherever_it_lands() -> None:
    site = Site()
    site.change({"deploy/app.yaml": "kind: GOOD\n"}, "Shop on AKS (#3)\n\nAks-Copilot-Run: shop-0123456789ab")
    site.push()
    assert site.world.runs() == []
    assert site.ignored() == ["aks-copilot's own commit"]


def test_deliveries_that_start_nothing_are_not_even_queued() -> None:
    site = Site()
    assert site.push(branch="aks-copilot/shop")[1]["reason"] == "a branch of aks-copilot's own"
    assert site.deliver({"zen": "Keep it logically awesome."}, "ping") == (200, {"status": "pong"})
    assert site.deliver({}, "issues") == (202, {"status": "ignored", "reason": "events of type 'issues' start nothing"})
    assert site.code.calls == []


def test_a_delivery_twice_and_a_replay_under_another_id_are_one_run() -> None:
    site = Site()
    site.change({"deploy/app.yaml": "kind: BAD\n# now\n"})
    payload = push_payload("acme/shop", site.first, site.head)
    assert site.deliver(payload, delivery="same") == (202, {"status": "queued"})
    before, calls = dict(site.world.blobs.content), len(site.code.calls)
    assert site.deliver(payload, delivery="same") == (202, {"status": "duplicate"})
    assert site.world.blobs.content == before
    assert len(site.code.calls) == calls

    assert site.deliver(payload, delivery="another") == (202, {"status": "queued"})
    assert len(site.world.runs()) == 1
    changed = {key[1] for key in site.world.blobs.content if site.world.blobs.content[key] != before.get(key)}
    assert [name.startswith("deliveries/another-") for name in changed] == [True]


def test_a_push_reads_only_the_files_that_no_run_has_read() -> None:
    site = Site(SHOP | {f"deploy/{n}.yaml": f"a: {n}\n" for n in range(50)})
    site.push(NONE)
    read = site.code.reads()
    site.change({"deploy/7.yaml": "kind: BAD\n# now\n"})
    site.push()
    assert read == 53
    assert site.code.reads() == read + 1
    assert len(site.world.runs()) == 2


def test_a_pull_request_is_a_run_of_its_head() -> None:
    site = Site(MONO)
    base = site.change({"README.md": "the base moves on\n"})
    head = site.code.add(MONO | {"deploy/shop/app.yaml": "kind: BAD\n# pulled\n"}, site.first)
    site.pull(head, base)
    (run,) = site.world.runs()
    origin = site.stored(names.origin(run))
    assert names.app_of(run) == "shop"
    assert (origin["pullRequest"], origin["ref"], origin["base"], origin["commit"], origin["before"], origin["fork"]) == (
        7, "refs/pull/7/head", "main", head, base, False,
    )  # fmt: skip
    site.pull(head, base, number=8)
    assert len(site.world.runs()) == 2  # another pull request with the same head has a report of its own
    site.pull(head, base, "reopened")
    assert len(site.world.runs()) == 2


def test_suggested_changes_are_applied_where_the_repository_wants_them() -> None:
    site = Site(SHOP | {".aks-copilot.yaml": "repository: {unsafe: true}\n"})
    site.push(before=NONE)

    (run,) = site.world.runs()
    assert site.stored(names.setup(run))["applyUnsafe"] is True


def test_a_fork_does_not_choose_what_happens() -> None:
    site = Site(MONO)
    stranger = {".aks-copilot.yaml": "repository: {results: pull-request, branches: ['*']}\n", "deploy/blog/app.yaml": "kind: BAD\n# now\n"}
    head = site.code.add(MONO | stranger, site.first)
    site.pull(head, site.first, repo="eve/shop")
    origins = [site.stored(names.origin(run)) for run in site.world.runs()]
    assert {(o["path"], o["results"], o["fork"]) for o in origins} == {
        ("deploy/shop", "pull-request", True),
        ("deploy/blog", "check", True),
    }


def test_links_and_submodules_are_left_out_and_noted() -> None:
    site = Site()
    site.change({"link.yaml": "deploy/app.yaml", "module": "x"}, modes={"link.yaml": "120000", "module": "160000"})
    site.push(NONE)
    (run,) = site.world.runs()
    assert not {"link.yaml", "module"} & set(site.world.report(run))
    assert site.stored(names.manifest(run))["notes"] == ["link.yaml: a symbolic link: left out", "module: a submodule: left out"]


def test_a_file_over_the_limit_is_not_read() -> None:
    site = Site(SHOP | {"deploy/huge.yaml": "a: 1\n" * 30_000})
    site.push(NONE)
    (run,) = site.world.runs()
    entry = site.world.report(run)["deploy/huge.yaml"]
    assert (entry["status"], entry["reason"]) == ("refused", "The file is larger than 100000 bytes.")
    assert site.code.reads() == 3


def test_a_truncated_listing_is_walked_folder_by_folder() -> None:
    files = {f"d{n}/e/{m}.yaml": f"a: {n}{m}\n" for n in range(5) for m in range(4)}
    site = Site(files)
    site.code.listed = 6
    site.push(NONE)
    (run,) = site.world.runs()
    assert set(site.world.report(run)) == {*files, "made.yaml"}


def test_a_target_of_the_repository_goes_with_the_run() -> None:
    seen = []

    def plan(files: Any, options: Any) -> Any:
        seen.append((options.source, options.target))
        return original(files, options)

    site = Site(
        {"t/prod.yaml": "name: prod\n", "d/a.yaml": "a: 1\n", ".aks-copilot.yaml": "repository: {source: okd, target: t/prod.yaml}\n"}
    )
    original = site.world.engine.plan
    object.__setattr__(site.world.engine, "plan", plan)
    try:
        site.push(NONE)
    finally:
        object.__setattr__(site.world.engine, "plan", original)
    assert seen == [("okd", "name: prod\n")]


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
