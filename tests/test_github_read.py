"""The GitHub adapter against the emulator: what it reads, what each refusal means, whose credentials it sends, and that it tells none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from emulate_support import APP_ID, APP_OWNER, INSTALLATION, TOKEN, Emulate
from gateway import Reply

from shared.adapters.github.client import Client
from shared.adapters.github.read import GitHubReader
from shared.adapters.secrets import CachedSecrets, EnvironmentSecrets
from shared.domain.code_host import NotFoundError, Repository
from shared.domain.errors import AksCopilotError, CriticalError, TransientError, ValidationError
from shared.domain.ports import SecretStore

NONE = "0" * 40
NOW = 1_700_000_000.0


def reader(emulate: Emulate, secrets: SecretStore | None = None, timeout: int = 20, clock: Callable[[], float] = time.time) -> GitHubReader:
    store = secrets or EnvironmentSecrets({"GITHUB_TOKEN": TOKEN})
    return GitHubReader(Client(emulate.github.url, store, timeout=timeout, clock=clock))


def app_secrets(emulate: Emulate, **more: str) -> EnvironmentSecrets:
    return EnvironmentSecrets({"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": emulate.app_key.replace("\n", "\\n"), **more})


def test_commit_tree_blob(emulate: Emulate) -> None:
    made = emulate.repository({"deploy/app.yaml": b"\xef\xbb\xbfa: 1\r\n", "big.bin": bytes(range(256)) * 1000})
    head = made.push({"link": "big.bin", "module": "1" * 40}, modes={"link": "120000", "module": "160000"}, message="Zwölf\n\nTrailer: x")
    github, repository = reader(emulate), Repository(made.name)

    commit = github.commit(repository, head)
    listing = github.tree(repository, commit.tree, recursive=True)
    entries = {entry.path: entry for entry in listing.entries}

    assert (commit.sha, commit.message) == (head, "Zwölf\n\nTrailer: x")
    assert not listing.truncated
    assert {path for path, entry in entries.items() if entry.is_file} == {"deploy/app.yaml", "big.bin"}
    assert (entries["link"].mode, entries["module"].mode) == ("120000", "160000")
    assert entries["big.bin"].size == 256_000
    assert github.blob(repository, entries["deploy/app.yaml"].sha) == b"\xef\xbb\xbfa: 1\r\n"
    assert github.blob(repository, entries["big.bin"].sha) == bytes(range(256)) * 1000
    assert {entry.path for entry in github.tree(repository, commit.tree).entries} == {"deploy", "big.bin", "link", "module"}


def test_an_enterprise_server_has_its_api_below_a_path(emulate: Emulate) -> None:
    who = {"date": "2026-11-23T00:00:00Z", "email": "a@example.com"}
    answer = {"sha": NONE, "tree": {"sha": "1" * 40}, "message": "m", "committer": who, "parents": []}
    emulate.github.answer("GET", f"^/api/v3/repos/team/shop/git/commits/{NONE}$", Reply(200, answer))
    client = Client(f"{emulate.github.url}/api/v3/", EnvironmentSecrets({"GITHUB_TOKEN": TOKEN}))
    assert GitHubReader(client).commit(Repository("team/shop"), NONE).tree == "1" * 40


def test_a_listing_that_lost_its_query_counts_as_truncated(emulate: Emulate) -> None:
    """A renamed repository is answered with a redirect, and the client library follows it without `?recursive=1`."""
    made = emulate.repository({"deploy/app.yaml": "a: 1\n"})
    tree = made.call("GET", f"/git/trees/{made.head()}")["sha"]
    to = f"{emulate.github.url}/repos/{made.name}/git/trees/{tree}?recursive=1"
    emulate.github.answer("GET", "^/repos/admin/old-name/git/trees/", Reply(301, {"message": "Moved Permanently"}, {"Location": to}))

    listing = reader(emulate).tree(Repository("admin/old-name"), tree, recursive=True)

    assert [entry.path for entry in listing.entries] == ["deploy"]
    assert listing.truncated


def test_compare(emulate: Emulate) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n", "b.yaml": "b: 1\n", "c.yaml": "c: 1\n"})
    base = made.head()
    head = made.push({"a.yaml": "a: 2\n", "b.yaml": None, "d/e.yaml": "b: 1\n"})
    many = made.push({f"many/{n}.yaml": "x: 1\n" for n in range(301)})
    forced = made.push({"z.yaml": "z: 1\n"}, force_onto=base)
    github, repository = reader(emulate), Repository(made.name)

    straight = github.compare(repository, base, head)
    assert straight is not None
    assert straight.whole
    assert straight.straight
    assert set(straight.paths) == {"a.yaml", "b.yaml", "d/e.yaml"}
    over, apart = github.compare(repository, head, many), github.compare(repository, many, forced)
    assert over is not None
    assert apart is not None
    assert (over.whole, over.straight, len(over.paths)) == (False, True, 300)
    assert (apart.straight, apart.paths) == (False, ("z.yaml",))
    same = github.compare(repository, head, head)
    assert (same and same.paths, same and same.whole) == ((), True)
    assert github.compare(repository, NONE, head) is None


def error(emulate: Emulate, reply: Reply, **options: Any) -> Exception:
    """What a call raises that is answered so."""
    emulate.github.answer("GET", "/git/commits/", reply)
    with pytest.raises(AksCopilotError) as raised:
        reader(emulate, clock=lambda: NOW, **options).commit(Repository("admin/x"), NONE)
    return raised.value


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (429, {"Retry-After": "17"}, "", 18),
        (403, {"Retry-After": "17"}, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", 18),
        (403, {}, "You have exceeded a secondary rate limit and have been temporarily blocked", 60),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 900)}, "API rate limit exceeded for user ID 1.", 901),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, "API rate limit exceeded", 1),
        (429, {"Retry-After": "soon"}, "", 60),
        (503, {"Retry-After": "5"}, "", 5),
        (500, {}, "", None),
        (502, {}, "<html>", None),
    ],
)
def test_pauses_and_outages(emulate: Emulate, status: int, headers: dict[str, str], message: str, wait: float | None) -> None:
    raised = error(emulate, Reply(status, {"message": message} if message != "<html>" else b"<html>", headers))
    assert isinstance(raised, TransientError)
    assert raised.retry_after == wait


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(delay=3)], ids=["connection lost", "no answer"])
def test_silence_is_an_outage(emulate: Emulate, reply: Reply) -> None:
    raised = error(emulate, reply, timeout=1)
    assert isinstance(raised, TransientError)
    assert "does not answer" in str(raised)


@pytest.mark.parametrize("body", [b"", b"<html>a login page</html>", [], {"sha": "x"}], ids=repr)
def test_an_answer_that_is_not_githubs(emulate: Emulate, body: Any) -> None:
    assert isinstance(error(emulate, Reply(200, body)), TransientError)


@pytest.mark.parametrize("status", [404, 409, 410, 422, 451])
def test_what_is_not_there_or_not_possible(emulate: Emulate, status: int) -> None:
    raised = error(emulate, Reply(status, {"message": "No\nsuch thing"}))
    assert isinstance(raised, ValidationError)
    assert "\n" not in str(raised)
    assert "admin/x" in str(raised)


def test_a_private_repository_that_the_token_does_not_see(emulate: Emulate) -> None:
    with pytest.raises(NotFoundError, match="not found on GitHub, or not visible"):
        reader(emulate).commit(Repository("somebody/else"), NONE)


def test_missing_permissions_are_named(emulate: Emulate) -> None:
    headers = {"X-Accepted-GitHub-Permissions": "contents=read"}
    raised = error(emulate, Reply(403, {"message": "Resource not accessible by integration"}, headers))
    assert isinstance(raised, CriticalError)
    assert "contents=read" in str(raised)


def test_a_redirect_to_another_host_is_not_followed(emulate: Emulate) -> None:
    raised = error(emulate, Reply(301, {}, {"Location": "http://elsewhere.example/repos/admin/x"}))
    assert isinstance(raised, CriticalError)
    assert "GITHUB_API_URL" in str(raised)


class Vault:
    """A secret that was rotated after it was read."""

    def __init__(self, *values: str) -> None:
        self.values, self.reads = list(values), 0

    def __call__(self, name: str) -> str | None:
        if name != "github-token":
            return None
        self.reads += 1
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]


def test_a_rotated_token_is_read_again_without_a_restart(emulate: Emulate) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n"}, private=True)
    vault = Vault("expired-token-value", TOKEN)
    now = [0.0]
    store = CachedSecrets(vault, 300, lambda: now[0])
    github = reader(emulate, store)
    emulate.github.answer("GET", "/git/commits/", lambda seen: Reply(401, {}) if "expired" in seen.headers["authorization"] else None)
    assert store.get("github-token") == "expired-token-value"
    now[0] = 60

    assert github.commit(Repository(made.name), made.head()).sha == made.head()
    assert vault.reads == 2


def test_a_wrong_token_is_told_once_and_never_shown(emulate: Emulate) -> None:
    secret = "ghp_ThisMustNeverBeShown0123456789"
    emulate.github.answer("GET", "/git/commits/", Reply(401, {"message": "Bad credentials"}))
    with pytest.raises(CriticalError) as raised:
        reader(emulate, EnvironmentSecrets({"GITHUB_TOKEN": secret})).commit(Repository("admin/x"), NONE)
    assert str(raised.value) == f"GitHub refuses (401): cannot read commit {NONE[:12]} of admin/x"
    shown = repr(raised.value) + repr(raised.value.__cause__) + repr(raised.value.__context__.__cause__ if raised.value.__context__ else "")
    assert secret not in shown
    assert len(emulate.github.calls("GET", "/git/commits/")) == 1


def test_no_credentials_at_all(emulate: Emulate) -> None:
    with pytest.raises(CriticalError, match="set GITHUB_TOKEN, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"):
        reader(emulate, EnvironmentSecrets({})).commit(Repository("admin/x"), NONE)


@pytest.mark.parametrize("installation", [INSTALLATION, None], ids=["named by the delivery", "looked up"])
def test_an_app_logs_in_once_for_many_calls(emulate: Emulate, installation: int | None) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n"}, owner=APP_OWNER, private=True)
    head = made.head()
    github, repository = reader(emulate, app_secrets(emulate)), Repository(made.name, installation)

    for _ in range(3):
        assert github.commit(repository, head).sha == head

    assert len(emulate.github.calls("POST", "/access_tokens$")) == 1
    assert len(emulate.github.calls("GET", "/installation$")) == (installation is None)


def test_an_installation_token_is_renewed_before_it_ends(emulate: Emulate) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n"}, owner=APP_OWNER)
    now = [time.time()]
    github = reader(emulate, app_secrets(emulate), clock=lambda: now[0])
    for _ in range(2):
        github.commit(Repository(made.name, INSTALLATION), made.head())
        now[0] += 3400
    assert len(emulate.github.calls("POST", "/access_tokens$")) == 2


def test_a_revoked_installation_token_is_replaced(emulate: Emulate) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n"}, owner=APP_OWNER)
    github = reader(emulate, app_secrets(emulate))
    github.commit(Repository(made.name, INSTALLATION), made.head())
    emulate.github.fail("GET", "/git/commits/", 401)

    assert github.commit(Repository(made.name, INSTALLATION), made.head()).sha == made.head()
    assert len(emulate.github.calls("POST", "/access_tokens$")) == 2


def test_the_token_is_used_where_the_app_is_not_known_to_be_installed(emulate: Emulate) -> None:
    made = emulate.repository({"a.yaml": "a: 1\n"})
    reader(emulate, app_secrets(emulate, GITHUB_TOKEN=TOKEN)).commit(Repository(made.name), made.head())
    assert [seen.headers["authorization"] for seen in emulate.github.calls("GET", "/git/commits/")] == [f"token {TOKEN}"]


def test_an_app_that_is_not_installed(emulate: Emulate) -> None:
    with pytest.raises(ValidationError, match="cannot log in as the GitHub App for admin/none-such"):
        reader(emulate, app_secrets(emulate)).commit(Repository("admin/none-such"), NONE)


@pytest.mark.parametrize("status", [401, 500])
def test_a_login_of_the_app_that_fails(emulate: Emulate, status: int) -> None:
    emulate.github.fail("POST", "/access_tokens$", status, times=-1)
    with pytest.raises(CriticalError if status == 401 else TransientError) as raised:
        reader(emulate, app_secrets(emulate)).commit(Repository(f"{APP_OWNER}/x", INSTALLATION), NONE)
    assert "BEGIN" not in str(raised.value)


def test_a_broken_private_key_is_not_quoted(emulate: Emulate) -> None:
    secrets = EnvironmentSecrets({"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "not-a-key-but-secret"})
    with pytest.raises(CriticalError, match="GITHUB_APP_PRIVATE_KEY is no private key in PEM form") as raised:
        reader(emulate, secrets).commit(Repository(f"{APP_OWNER}/x", INSTALLATION), NONE)
    assert "not-a-key" not in str(raised.value)
