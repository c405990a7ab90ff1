"""Suggestions on GitHub: at lines that the pull request shows, told once whatever happens. Reviews are taken by `Reviewer`."""

from __future__ import annotations

from typing import Any

import pytest
from emulate_support import TOKEN, Emulate
from gateway import Reply
from review_support import FOLDER, REVIEWS, Pulled
from test_suggestions import KUSTOMIZATION, SAMPLES, claim

from shared.domain.code_host import Repository as Place
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.report.review import MOST
from shared.pipeline import names, publish


def test_the_emulator_takes_no_comments_by_line_yet(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    emulate.github.clear()

    with pytest.raises(ValidationError, match="422"):
        pulled.publisher(pulled.world.context, pulled.run)  # once this passes, `Reviewer` may go


def test_a_fix_is_suggested_at_its_exact_line(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {"a.yaml": claim("old", "nfs-client")}, {"b.yaml": claim()})

    told = pulled.tell()

    (one,) = pulled.reviewer.comments
    assert (one["path"], one["line"], "start_line" in one) == (f"{FOLDER}/b.yaml", 6, False)
    assert one["body"].startswith("**[AKS0101 ")
    assert one["body"].endswith("\n\n```suggestion\n  storageClassName: managed-csi   # where the data is\n```")
    (text,) = pulled.reviewer.texts
    assert "1 change for AKS on lines of this pull request." in text
    assert "aks-copilot / shop" in text
    assert told is not None
    assert str(told["url"]).startswith("http")


def test_taken_suggestions_make_the_file_that_the_run_made(emulate: Emulate) -> None:
    text = (SAMPLES / "k3s-shop" / "40-backup.yaml").read_text()
    pulled = Pulled(emulate, {}, {"backup.yaml": text})

    pulled.tell()

    assert len(pulled.reviewer.comments) == 2
    patched = pulled.world.blobs.texts(names.PATCHED)[f"{pulled.run}/backup.yaml"].decode()
    assert pulled.reviewer.accepted(f"{FOLDER}/backup.yaml", text) == patched


def test_lines_that_the_pull_request_left_alone_are_left_alone(emulate: Emulate) -> None:
    two = claim("one") + "---\n" + claim("two")
    pulled = Pulled(emulate, {"a.yaml": two}, {"a.yaml": two.replace("name: two", "name: three")})

    pulled.tell()

    assert pulled.reviewer.comments == []  # the storage class stands among the lines of context, but nobody changed it
    assert pulled.reviewer.texts == []


def test_a_changed_line_in_the_middle_of_a_file(emulate: Emulate) -> None:
    two = claim("one", "managed-csi") + "---\n" + claim("two", "managed-csi")
    changed = claim("one", "managed-csi") + "---\n" + claim("two", "longhorn")
    pulled = Pulled(emulate, {"a.yaml": two}, {"a.yaml": changed}, folder="")

    pulled.tell()

    (one,) = pulled.reviewer.comments
    assert (one["path"], one["line"]) == ("a.yaml", 15)


def test_a_repeated_message_tells_nothing_twice(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})

    first, second = pulled.tell(), pulled.tell()
    assert first == second
    pulled.world, pulled.run = pulled.finished()  # what was remembered is gone
    pulled.tell()

    assert len(pulled.reviewer.comments) == 1
    assert len(emulate.github.calls("POST", REVIEWS)) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_process_that_dies_leaves_one_review(emulate: Emulate, at: int, after: bool) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    world = pulled.world
    publish.announce(world.context, pulled.run, "suggestions")
    world.fuse.at, world.fuse.after = world.fuse.count + at, after
    world.drain()

    assert world.crashes == 1
    assert len(pulled.reviewer.comments) == 1
    told = publish.recall(world.context, pulled.run, "suggestions")
    assert told is not None
    assert str(told["url"]).startswith("http")


def test_a_lost_answer_doubles_nothing(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    emulate.github.clear()
    reviewer = pulled.reviewer
    emulate.github.answer("POST", REVIEWS, lambda seen: Reply(reviewer.take(seen).status, drop=True))

    with pytest.raises(TransientError):
        pulled.tell()
    pulled.tell()

    assert len(reviewer.comments) == 1


def test_a_later_commit_gets_only_what_is_new_and_what_was_resolved_stays_away(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    pulled.tell()

    pulled.pushed({"a.yaml": "# a line above\n" + claim(), "b.yaml": claim("more", "longhorn")})
    pulled.tell()

    assert [(c["path"], c["line"]) for c in pulled.reviewer.comments] == [(f"{FOLDER}/a.yaml", 6), (f"{FOLDER}/b.yaml", 6)]


def test_two_applications_of_one_pull_request_have_their_own_suggestions(emulate: Emulate) -> None:
    shop = Pulled(emulate, {}, {"a.yaml": claim()})
    shop.tell()
    blog = "deploy/blog"
    shop.folder, shop.after = blog, {}
    shop.pushed({"a.yaml": claim(), "notes.txt": "another run\n"})
    shop.tell()

    assert [one["path"] for one in shop.reviewer.comments] == [f"{FOLDER}/a.yaml", f"{blog}/a.yaml"]


def test_a_pull_request_that_moved_on_or_was_closed_is_left_to_its_newer_run(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()}, commit="1" * 40)
    assert pulled.tell() == {"superseded": True}

    closed = Pulled(emulate, {}, {"a.yaml": claim()})
    closed.repository.call("PATCH", f"/pulls/{closed.number}", {"state": "closed"})
    assert closed.tell() == {"superseded": True}
    assert pulled.reviewer.comments == closed.reviewer.comments == []


@pytest.mark.parametrize("origin", [{"results": "check"}, {"results": "none"}, {"pullRequest": None}, {"layout": "overlay"}])
def test_where_nothing_is_to_be_said(emulate: Emulate, origin: dict[str, Any]) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()}, **origin)

    assert pulled.tell() is None
    assert emulate.github.calls("*", "/pulls/") == []


def test_where_a_source_cluster_reads_the_files_too_nothing_is_suggested_unless_the_repository_wants_it(emulate: Emulate) -> None:
    files = {"a.yaml": claim(), "kustomization.yaml": KUSTOMIZATION}
    unsaid = Pulled(emulate, {}, files)
    assert unsaid.tell() is None

    wanted = Pulled(emulate, {}, files, layout="in-place")
    wanted.tell()
    assert [one["path"] for one in wanted.reviewer.comments] == [f"{FOLDER}/a.yaml"]


@pytest.mark.parametrize(
    ("status", "message", "headers", "kind", "wait"),
    [
        (500, "oops", {}, TransientError, None),
        (429, "slow down", {"Retry-After": "7"}, TransientError, 8),
        (403, "You have exceeded a secondary rate limit.", {}, TransientError, 60),
        (403, "Resource not accessible by integration", {}, CriticalError, None),
        (422, "Line could not be resolved", {}, ValidationError, None),
    ],
)
@pytest.mark.parametrize(("method", "place"), [("GET", "/pulls/"), ("GET", "/reviews"), ("GET", "/compare/"), ("POST", "/reviews")])
def test_what_github_answers_decides_what_happens(
    emulate: Emulate, method: str, place: str, status: int, message: str, headers: dict[str, str], kind: Any, wait: float | None
) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    emulate.github.clear()
    reply = Reply(status, {"message": message}, headers)
    emulate.github.answer(method, place, reply, times=1)
    emulate.github.answer("POST", REVIEWS, pulled.reviewer.take)

    with pytest.raises(kind) as error:
        pulled.tell()
    assert TOKEN not in str(error.value)
    assert getattr(error.value, "retry_after", None) == wait

    pulled.tell()
    assert len(pulled.reviewer.comments) == 1


def test_a_hundred_reviews_are_all_read(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {"a.yaml": claim()})
    pulled.tell()
    for number in range(105):
        pulled.repository.call("POST", f"/pulls/{pulled.number}/reviews", {"event": "COMMENT", "body": f"remark {number}"})

    assert len(pulled.publisher.host.reviews(Place(pulled.repository.name), pulled.number)) == 106


def test_more_than_fifty_are_counted(emulate: Emulate) -> None:
    pulled = Pulled(emulate, {}, {f"c{n:02d}.yaml": claim(f"c{n}") for n in range(60)})

    pulled.tell()

    assert len(pulled.reviewer.comments) == MOST
    assert "There are more: a review has at most 50." in pulled.reviewer.texts[0]
