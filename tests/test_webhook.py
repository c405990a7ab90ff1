"""Deliveries of GitHub's webhook: the signature, what starts a run, what does not, and what is no delivery at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from emulate_support import pull_payload, push_payload, signature

from shared.domain.errors import ValidationError
from shared.domain.webhook import Ignored, Wanted, is_own_commit, is_signed, read_delivery

OLD, NEW, NONE = "a" * 40, "b" * 40, "0" * 40
SECRET = "s3cret-ü"
BODY = b'{"zen": "\xc3\xa4"}'


def push(**changes: Any) -> bytes:
    return json.dumps(push_payload("acme/shop", OLD, NEW) | changes).encode()


def pull(action: str = "opened", head: str = "feature", repo: str | None = "acme/shop", **more: Any) -> bytes:
    about = {"number": 7, "head": {"ref": head, "sha": NEW, "repo": repo and {"full_name": repo}}, "base": {"ref": "main", "sha": OLD}}
    return json.dumps(pull_payload("acme/shop", about | more, action)).encode()


def test_the_documented_example_of_a_signature() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation"""
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert is_signed("It's a Secret to Everybody", b"Hello, World!", header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        signature(BODY, "another"),
        signature(BODY + b" ", SECRET),
        signature(BODY, SECRET).upper(),
        signature(BODY, SECRET)[:-1],
        signature(BODY, SECRET) + "0",
        signature(BODY, SECRET).removeprefix("sha256="),
        signature(BODY, SECRET).replace("sha256=", "sha1="),
        "sha1=" + "0" * 40,
        "sha256=" + "ü" * 64,
        "sha256=\udcff",
    ],
)
def test_a_wrong_signature_is_refused(header: str | None) -> None:
    assert not is_signed(SECRET, BODY, header)
    assert is_signed(SECRET, BODY, signature(BODY, SECRET))


def test_a_push() -> None:
    assert read_delivery("push", push(installation={"id": 9, "node_id": "x"}, commits=[{"secret": "no"}])) == Wanted(
        "webhook",
        {
            "repository": "acme/shop", "installation": 9, "defaultBranch": "main", "ref": "refs/heads/main", "branch": "main",
            "before": OLD, "commit": NEW, "pullRequest": None, "fork": False,
        },
    )  # fmt: skip


@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened"])
@pytest.mark.parametrize(("repo", "fork"), [("acme/shop", False), ("Acme/Shop", False), ("eve/shop", True), (None, True)])
def test_a_pull_request(action: str, repo: str | None, *, fork: bool) -> None:
    found = read_delivery("pull_request", pull(action, repo=repo))
    assert isinstance(found, Wanted)
    wanted = {"ref": "refs/pull/7/head", "branch": "main", "before": OLD, "commit": NEW, "pullRequest": 7, "fork": fork}
    assert found.payload == {"repository": "acme/shop", "installation": None, "defaultBranch": "main"} | wanted


@pytest.mark.parametrize(
    ("event", "body", "reason"),
    [
        ("push", push(ref="refs/tags/v1"), "not a push to a branch"),
        ("push", push(ref="refs/heads/"), "not a push to a branch"),
        ("push", push(after=NONE, deleted=True), "the branch was deleted"),
        ("push", push(ref="refs/heads/aks-copilot/shop"), "a branch of aks-copilot's own"),
        ("pull_request", pull("closed"), "a pull request that is 'closed' starts nothing"),
        ("pull_request", pull("labeled"), "a pull request that is 'labeled' starts nothing"),
        ("pull_request", pull("opened", head="aks-copilot/shop"), "a pull request of aks-copilot's own"),
        ("pull_request", pull("closed", head="aks-copilot/shop", merged=False), "a pull request of aks-copilot's own"),
        ("check_run", b"{}", "events of type 'check_run' start nothing"),
        ("installation", b"no JSON, and nobody looks", "events of type 'installation' start nothing"),
    ],
)
def test_what_starts_nothing(event: str, body: bytes, reason: str) -> None:
    assert read_delivery(event, body) == Ignored(reason)


def test_a_fork_cannot_borrow_the_programs_branch_name() -> None:
    assert isinstance(read_delivery("pull_request", pull("opened", head="aks-copilot/shop", repo="eve/shop")), Wanted)
    assert isinstance(read_delivery("pull_request", pull("closed", head="aks-copilot/shop", repo="eve/shop", merged=True)), Ignored)


def test_the_merge_of_the_programs_pull_request_asks_for_a_deployment() -> None:
    found = read_delivery("pull_request", pull("closed", head="aks-copilot/shop", merged=True, merge_commit_sha=OLD))
    common = {"repository": "acme/shop", "installation": None, "defaultBranch": "main", "pullRequest": 7}
    assert found == Wanted("deploy", common | {"branch": "main", "head": NEW, "commit": OLD})


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("push", b""),
        ("push", b"[]"),
        ("push", b"{"),
        ("push", b"[" * 100_000),
        ("push", b"\xff"),
        ("push", push(after="main")),
        ("push", push(before="-" * 40)),
        ("push", push(repository={"full_name": "acme/../../user", "default_branch": "main"})),
        ("push", push(repository={"full_name": "acme/..", "default_branch": "main"})),
        ("push", push(repository={"full_name": "acme/shop?x", "default_branch": "main"})),
        ("push", push(installation={"id": "9; drop"})),
        ("pull_request", b'{"action": "opened"}'),
        ("pull_request", pull(number=-1)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_payload_that_is_not_githubs_is_one_line(event: str, body: bytes) -> None:
    with pytest.raises(ValidationError) as raised:
        read_delivery(event, body)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("message", "own"),
    [
        ("Storage classes\n\nWhy.\n\nAks-Copilot-Run: shop-0123456789ab", True),
        ("Squashed (#7)\n\n* Storage classes\n\nAks-Copilot-Run: shop-0123456789ab\nSigned-off-by: a", True),
        ("Revert what Aks-Copilot-Run: shop-0123456789ab did", False),
        ("Aks-Copilot-Run:", False),
        ("A change", False),
    ],
)
def test_the_programs_own_commits_are_known_by_their_trailer(message: str, *, own: bool) -> None:
    assert is_own_commit(message) is own
