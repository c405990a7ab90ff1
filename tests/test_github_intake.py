"""From a delivery to runs, in memory: what each one starts, what is read for it, and what an outage or a crash changes (nothing)."""

from __future__ import annotations

from typing import Any

import pytest
from emulate_support import push_payload
from intake_support import MONO, NONE, SETTINGS, SHOP, Site, apps

from shared.pipeline import names, status


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
