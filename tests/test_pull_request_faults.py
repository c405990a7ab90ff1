"""The pull request while GitHub fails: whichever call goes wrong, and however, nothing is lost and nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from emulate_support import Emulate
from fakes import Fuse
from gateway import Reply, Seen
from pull_support import BRANCH, FOLDER, Site, claim

APP = f"{FOLDER}/app.yaml"
FILES = {APP: claim(like="acme-gold") + "---\n" + claim("b"), f"{FOLDER}/c.yaml": claim("c")}
SUBJECTS = ["Storage for AKS (shop)", "Questions and answers for AKS (shop)"]
Fault = Callable[[Emulate, int], None]


def nth(emulate: Emulate, number: int, reply: Reply, *, writes: bool) -> None:
    """Answer the publisher's `number`-th request (or write) so."""
    count = 0

    def answer(seen: Seen) -> Reply | None:
        nonlocal count
        if seen.method == "GET" and writes:
            return None
        count += 1
        return reply if count == number else None

    emulate.github.answer("*", "", answer)


def lost(emulate: Emulate, number: int) -> None:
    nth(emulate, number, Reply(lost=True, drop=True), writes=True)


def refused(emulate: Emulate, number: int) -> None:
    nth(emulate, number, Reply(502, {"message": "bad gateway"}), writes=False)


def paused(emulate: Emulate, number: int) -> None:
    headers = {"Retry-After": "3", "x-ratelimit-remaining": "0"}
    nth(emulate, number, Reply(403, {"message": "You have exceeded a secondary rate limit"}, headers), writes=True)


def found(site: Site, run: str | None = None) -> dict[str, Any]:
    """What people find of the (newest) run: pull requests, branches, files, commits and what the run remembers."""
    told, pulls = site.told[run or site.newest], site.repository.pulls()
    return {
        "pulls": [(pull["number"], pull["state"]) for pull in pulls],
        "branches": site.branches(),
        "files": site.files(),
        "commits": [commit["message"].splitlines()[0] for commit in site.commits()],
        "told": (told["state"], told["result"] in pulls[0]["body"]),
    }


def one_pull_request(site: Site, run: str | None = None) -> dict[str, Any]:
    """What `found` is where there is one pull request with exactly the (newest) run's result."""
    results = {f"{FOLDER}/{path}": data for path, data in site.results(run or site.newest).items()}
    return {
        "pulls": [(1, "open")],
        "branches": [BRANCH, "main"],
        "files": site.files("main") | results,
        "commits": SUBJECTS,
        "told": ("open", True),
    }


@pytest.mark.parametrize(("fault", "calls"), [(lost, range(1, 9)), (refused, range(2, 31, 4)), (paused, range(1, 9, 2))])
def test_a_fault_at_any_call_of_the_first_and_of_the_second_run(emulate: Emulate, fault: Fault, calls: range) -> None:
    for number in calls:
        site = Site(emulate, FILES)
        fault(emulate, number)
        site.push()
        assert found(site) == one_pull_request(site)
        emulate.clear()
        fault(emulate, number)
        site.push({f"{FOLDER}/c.yaml": claim(f"d{number}")})
        assert found(site) == one_pull_request(site)
        emulate.clear()


@pytest.mark.parametrize("seed", [1, 2])
def test_every_message_twice_and_in_any_order(emulate: Emulate, seed: int) -> None:
    site = Site(emulate, FILES)
    site.restart(copies=2, seed=seed)
    first = site.repository.head()
    second = site.repository.push({f"{FOLDER}/c.yaml": claim("d")})

    site.deliver(after=second, before=first)
    site.deliver(after=first)
    site.deliver(after=second, before=first)

    run = site.run_of(second)
    assert found(site, run) == one_pull_request(site, run)


def test_an_answer_that_never_comes(emulate: Emulate) -> None:
    for number in (1, 5, 6):
        site = Site(emulate, FILES)
        nth(emulate, number, Reply(lost=True, delay=3), writes=True)
        site.push()
        assert found(site) == one_pull_request(site)
        emulate.clear()


@pytest.mark.parametrize("after", [False, True])
def test_the_process_dies_at_any_write_to_storage(emulate: Emulate, after: bool) -> None:
    site = Site(emulate, FILES)
    site.push()
    start = site.world.fuse.count
    site.push({f"{FOLDER}/c.yaml": claim("d")})
    for number in range(2 if after else 1, site.world.fuse.count - start + 1, 3):
        site.world.fuse = Fuse(number, after)
        site.push({f"{FOLDER}/c.yaml": claim(f"d{number}")})
        assert found(site) == one_pull_request(site)
        site.world.queue.now += 200  # a lock that the dead process held is over


def test_a_push_of_somebody_else_in_the_middle_is_not_overwritten(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    site.push()

    def meanwhile(seen: Seen) -> Reply | None:
        if "NOTES.md" not in site.files():
            site.repository.push({"NOTES.md": "mine\n"}, branch=BRANCH)
        return None

    emulate.github.answer("POST", "/git/commits", meanwhile)
    site.push({f"{FOLDER}/c.yaml": claim("d")})
    assert site.files()["NOTES.md"] == b"mine\n"
    assert b"name: d" in site.files()[f"{FOLDER}/c.yaml"]
    assert len(site.repository.pulls()) == 1


class GraphQL:
    """The emulator has no GraphQL: `updateRefs` is answered here as GitHub documents it, and done there. `before` comes first."""

    def __init__(self, site: Site, before: Callable[[], object] = lambda: None) -> None:
        self.site, self.before = site, before
        self.asked: list[dict[str, str]] = []
        site.emulate.github.answer("POST", "^/graphql$", self.answer)

    def answer(self, seen: Seen) -> Reply:
        self.before()
        values = seen.json["variables"]
        self.asked.append(values)
        assert "beforeOid: $before, afterOid: $after, force: true" in seen.json["query"]
        if self.site.repository.head(BRANCH) != values["before"]:
            return Reply(200, {"data": {"updateRefs": None}, "errors": [{"type": "UNPROCESSABLE", "message": "the reference moved"}]})
        self.site.repository.call("PATCH", f"/git/{values['name']}", {"sha": values["after"], "force": True})
        return Reply(200, {"data": {"updateRefs": {"clientMutationId": None}}})


def test_where_github_can_a_branch_is_replaced_only_as_it_was_seen(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    site.push()
    old = site.repository.head(BRANCH)
    graphql = GraphQL(site)

    site.push({f"{FOLDER}/c.yaml": claim("d")})

    assert found(site) == one_pull_request(site)
    node = site.repository.call("GET", "")["node_id"]
    new = site.repository.head(BRANCH)
    assert graphql.asked == [{"repository": node, "name": f"refs/heads/{BRANCH}", "before": old, "after": new}]
    assert emulate.github.calls("PATCH", "/git/refs/") == []


def test_a_push_of_somebody_else_in_the_very_last_moment_is_not_overwritten(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    site.push()
    GraphQL(site, before=lambda: "NOTES.md" in site.files() or site.repository.push({"NOTES.md": "mine\n"}, branch=BRANCH))

    site.push({f"{FOLDER}/c.yaml": claim("d")})

    assert site.files()["NOTES.md"] == b"mine\n"
    assert b"name: d" in site.files()[f"{FOLDER}/c.yaml"]


def late(site: Site, before: str, times: int) -> None:
    ref = [{"ref": "refs/heads/main", "object": {"sha": before}}]
    site.emulate.github.answer("GET", "/git/matching-refs/heads/main", Reply(200, ref), times=times)


def test_a_push_that_github_shows_late_is_waited_for(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    before = site.push()
    after = site.repository.push({f"{FOLDER}/c.yaml": claim("d")})
    late(site, before, 3)

    site.deliver(before, after)

    assert found(site) == one_pull_request(site)


def test_a_branch_that_stays_where_it_was_was_set_back(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    before = site.push()
    after = site.repository.push({f"{FOLDER}/c.yaml": claim("d")})
    late(site, before, -1)

    site.deliver(before, after)

    assert site.last == {"superseded": before}


def test_a_branch_that_nobody_may_write_is_told_and_not_tried_for_ever(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    emulate.github.answer("POST", "/git/refs", Reply(403, {"message": "Resource not accessible by integration"}))

    site.push()

    assert "GitHub refuses (403)" in site.last["error"]
    assert site.world.report(site.newest)
    assert site.repository.pulls() == []


def test_other_bytes_than_were_sent_are_never_offered(emulate: Emulate) -> None:
    site = Site(emulate, FILES)
    emulate.github.answer("POST", "/git/trees", lambda seen: Reply(201, {"sha": site.repository.call("GET", "/git/trees/main")["sha"]}))

    site.push()

    assert site.last["error"].startswith("GitHub has not what was sent: ")
    assert site.branches() == ["main"]
