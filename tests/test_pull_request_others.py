"""What people do to the branch and the pull request: commits, closing, merging, deleting. Nothing of it is undone."""

from __future__ import annotations

import pytest
from emulate_support import Emulate
from pull_support import BRANCH, FOLDER, Site, claim

APP = f"{FOLDER}/app.yaml"


def test_commits_of_others_are_kept_and_their_files_left(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), f"{FOLDER}/b.yaml": claim("b")})
    site.push()
    theirs = site.files()[APP].replace(b"1Gi", b"5Gi")
    human = site.repository.push({APP: theirs, "NOTES.md": "mine\n"}, branch=BRANCH)

    site.push({APP: claim("data2"), f"{FOLDER}/b.yaml": claim("b2"), "README.md": "new\n"})

    after = site.files()
    assert after[APP] == theirs
    assert after["NOTES.md"] == b"mine\n"
    assert after["README.md"] == b"new\n"
    assert b"name: b2" in after[f"{FOLDER}/b.yaml"]
    assert b"managed-csi" in after[f"{FOLDER}/b.yaml"]
    assert site.last["left"] == [APP]
    (pull,) = site.repository.pulls()
    assert f"Left as somebody else changed them; compare them with the report:**\n\n- `{APP}`" in pull["body"]
    top = site.repository.call("GET", f"/git/commits/{site.repository.head(BRANCH)}")
    assert [parent["sha"] for parent in top["parents"]] == [human, site.repository.head()]
    assert top["message"].startswith("Bring deploy/shop up to date for AKS (shop)\n\nAKS0101 The storage class does not exist on AKS. ")
    assert top["message"].endswith(f"\n\nAks-Copilot-Run: {site.newest}")


def test_what_others_committed_survives_a_third_run_and_a_repeated_message(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), f"{FOLDER}/b.yaml": claim("b")})
    site.push()
    site.repository.push({"NOTES.md": "mine\n"}, branch=BRANCH)
    site.push({APP: claim("data2")})
    site.push({APP: claim("data3")})
    made = site.repository.head(BRANCH)
    assert "left" not in site.last
    site.forget(site.newest)

    site.tell(site.newest)

    assert site.repository.head(BRANCH) == made
    assert site.files()["NOTES.md"] == b"mine\n"
    assert b"data3" in site.files()[APP]


def test_without_its_memory_the_program_knows_its_own_commits(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), f"{FOLDER}/b.yaml": claim("b")})
    site.push()
    site.restart()

    head = site.push({APP: claim("two")})

    assert site.commits()[0]["parents"][0]["sha"] == head
    assert len(site.commits()) == 2
    assert b"name: two" in site.files()[APP]
    assert [p["number"] for p in site.repository.pulls()] == [1]
    assert "left" not in site.last


@pytest.mark.parametrize("amended", [False, True])
def test_without_its_memory_commits_of_others_are_kept_too(emulate: Emulate, amended: bool) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    commit = site.repository.call("GET", f"/git/commits/{site.repository.head(BRANCH)}")
    onto = commit["parents"][0]["sha"] if amended else commit["sha"]
    site.repository.push({"NOTES.md": "mine\n"}, branch=BRANCH, message=commit["message"], force_onto=onto)
    site.restart()

    site.push({f"{FOLDER}/b.yaml": claim("b")})

    assert site.files()["NOTES.md"] == b"mine\n"
    assert b"managed-csi" in site.files()[f"{FOLDER}/b.yaml"]


def test_a_change_that_somebody_took_back_stays_taken_back(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), f"{FOLDER}/b.yaml": claim("b")})
    site.push()
    site.repository.push({APP: claim()}, branch=BRANCH)

    site.push({f"{FOLDER}/b.yaml": claim("b2")})

    assert site.files()[APP] == claim().encode()
    assert site.last["left"] == [APP]


def test_a_file_changed_on_both_sides_leaves_the_merge_to_people(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), "README.md": "1\n"})
    site.push()
    human = site.repository.push({"README.md": "theirs\n"}, branch=BRANCH)

    site.push({APP: claim("data2"), "README.md": "2\n"})

    after = site.files()
    assert after["README.md"] == b"theirs\n"
    assert b"data2" in after[APP]
    top = site.repository.call("GET", f"/git/commits/{site.repository.head(BRANCH)}")
    assert [parent["sha"] for parent in top["parents"]] == [human]


def test_a_pull_request_that_was_closed_stays_closed_until_the_result_is_another(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    made = site.repository.head(BRANCH)
    site.repository.call("PATCH", "/pulls/1", {"state": "closed"})

    site.push({APP: claim(), "README.md": "x\n", f"{FOLDER}/notes.txt": "x\n"})
    assert [(p["number"], p["state"]) for p in site.repository.pulls()] == [(1, "closed")]
    assert site.last["state"] == "closed by somebody: the result is the same"
    assert site.repository.head(BRANCH) == made

    site.push({APP: claim("other")})
    assert [(p["number"], p["state"]) for p in site.repository.pulls()] == [(1, "open")]
    assert b"other" in site.files()[APP]


def test_a_body_that_somebody_wrote_anew_changes_none_of_it(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    site.repository.call("PATCH", "/pulls/1", {"state": "closed", "body": "Not now."})

    site.push({f"{FOLDER}/notes.txt": "x\n"})
    assert [(p["number"], p["state"], p["body"]) for p in site.repository.pulls()] == [(1, "closed", "Not now.")]

    site.repository.call("PATCH", "/pulls/1", {"state": "open"})
    site.push({APP: claim("two")})
    assert [p["number"] for p in site.repository.pulls()] == [1]


def test_a_pull_request_of_somebody_elses_from_the_branch_is_left_alone(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.repository.push({"x": "1"}, branch="release")
    site.push()
    site.repository.open_pull(BRANCH, "release", "Mine")

    site.push({APP: claim("two")})

    pulls = {p["number"]: p for p in site.repository.pulls()}
    assert (pulls[2]["title"], pulls[2]["body"], pulls[2]["base"]["ref"]) == ("Mine", None, "release")
    assert site.last["number"] == 1


def test_where_github_refuses_to_reopen_a_new_one_is_opened(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    site.repository.call("PATCH", "/pulls/1", {"state": "closed"})
    emulate.github.fail("PATCH", "/pulls/1$", 422)

    site.push({APP: claim("other")})

    assert sorted((p["number"], p["state"]) for p in site.repository.pulls()) == [(1, "closed"), (2, "open")]


def test_after_a_merge_nothing_is_opened_and_the_next_change_gets_a_new_one(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    site.repository.call("PUT", "/pulls/1/merge", {})

    site.push()
    assert [(p["number"], p["merged"]) for p in site.repository.pulls()] == [(1, True)]
    assert "url" not in site.last

    head = site.push({f"{FOLDER}/b.yaml": claim("b")})
    assert sorted((p["number"], p["state"]) for p in site.repository.pulls()) == [(1, "closed"), (2, "open")]
    assert site.commits()[0]["parents"][0]["sha"] == head


def test_a_deleted_branch_is_made_again(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    site.repository.call("DELETE", f"/git/refs/heads/{BRANCH}")
    site.repository.call("PATCH", "/pulls/1", {"state": "closed"})  # as GitHub does

    site.push({APP: claim("other")})

    assert sorted((p["number"], p["state"]) for p in site.repository.pulls()) == [(1, "closed"), (2, "open")]
    assert b"other" in site.files()[APP]


def test_a_base_that_goes_back_to_an_older_commit_is_followed(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    old = site.push()
    new = site.push({APP: claim("two")})
    site.repository.call("PATCH", "/git/refs/heads/main", {"sha": old, "force": True})

    site.deliver(before=new, after=old)

    assert b"name: data" in site.files()[APP]
    assert site.commits()[0]["parents"][0]["sha"] == old
    assert len(site.repository.pulls()) == 1


def test_one_that_was_closed_and_reopened_goes_on(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    for state in ("closed", "open"):
        site.repository.call("PATCH", "/pulls/1", {"state": state})

    site.push({APP: claim("two")})

    assert [(p["number"], p["state"]) for p in site.repository.pulls()] == [(1, "open")]
    assert b"name: two" in site.files()[APP]


def test_a_base_that_was_rewritten_is_followed(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    root = site.repository.head()
    site.push({APP: claim("two")})

    rewritten = site.push({APP: claim("three")}, force_onto=root)

    assert site.commits()[0]["parents"][0]["sha"] == rewritten
    assert b"three" in site.files()[APP]
    assert len(site.repository.pulls()) == 1
