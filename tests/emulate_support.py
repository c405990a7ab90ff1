"""GitHub and Slack for tests: the npm package `emulate`, a stateful server of both APIs, on Node 24 from npm.

What it really does (0.12.2, held by tests/test_emulate.py):
- `contents`, git data (blobs, trees, commits, refs), `compare`, pull requests, merges, check runs with annotations, hooks, GitHub Apps
  with installation tokens, Slack `chat.postMessage` and `chat.update` keep real state.
- A `push` is delivered when a ref is PATCHed, without `commits`, `head_commit`, `created`, `deleted` and `forced`, or when a file is PUT.
  Creating a ref sends `create`, deleting one sends nothing; a pull request's `head.sha` stays what it was when it was opened, and a push
  to its branch sends no `synchronize`. `deliver` sends what is missing, signed, as GitHub would.
- The answer of a write waits for no delivery; deliveries are never repeated; their ids count from 1; registering a hook sends no `ping`.
- `compare` gives at most 300 files, as GitHub does; trees are never truncated; the files of a pull request are always none.
- It lacks SARIF upload, dispatches, suggestions and tarballs: `gateway.answer` stubs such an endpoint.

Everything goes through a `Gateway`, which journals and can make requests fail; the emulator advertises the gateway's address.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from emulate_repository import SECRET, Repository
from gateway import Gateway

ROOT = Path(__file__).parents[1]
NODE = ROOT / "node_modules/node/bin/node"
SCRIPT = ROOT / "node_modules/emulate/dist/index.js"
TOKEN = "test_token_admin"
OWNER = "admin"
"""The owner of repositories that TOKEN may write."""
APP_OWNER = "acme"
"""An account on which the App is installed: every delivery of its repositories names the installation."""
APP_ID, INSTALLATION, APP_SLUG = 4242, 77, "aks-copilot"
_TRIES = 5
# Standard input is a pipe that we hold: when this process dies, however it dies, the pipe closes and the emulator stops.
_STOP_WITH_OWNER = "process.stdin.resume().on('end', () => process.exit(0));import('file://' + {script});"


def missing() -> str | None:
    """Why the emulator cannot run here, or None."""
    return None if NODE.is_file() and SCRIPT.is_file() else "needs Node 24 and emulate in node_modules: run npm ci"


class Emulate:
    """One emulator process behind two gateways: a context manager. `github.url` and `slack.url` are the API bases."""

    def __init__(self, folder: Path) -> None:
        self.github, self.slack = Gateway(), Gateway()
        self.app_key = _private_key()
        self._calls = 0
        self._folder, self._log = folder, folder / "emulate.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.github.__enter__()
        self.slack.__enter__()
        for _ in range(_TRIES):
            if self._start(_free_pair()):
                return self
        raise AssertionError(f"the emulator did not start: {self._log.read_text('utf-8', 'replace')[-2000:]}")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self.github.__exit__(kind, error, trace)
        self.slack.__exit__(kind, error, trace)

    def stop(self) -> None:
        """Stop the process; safe to call twice."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()

    def clear(self) -> None:
        """Forget faults and journals of both gateways; the state stays."""
        self.github.clear()
        self.slack.clear()

    def repository(self, files: Mapping[str, bytes | str] | None = None, owner: str = OWNER, **options: Any) -> Repository:
        """A new repository of a fresh name, whose default branch `main` holds `files`."""
        name = f"r{uuid.uuid4().hex[:10]}"
        path = "/user/repos" if owner == OWNER else f"/orgs/{owner}/repos"
        self.call("POST", path, {"name": name, "auto_init": True, **options})
        made = Repository(self, f"{owner}/{name}")
        if files is not None:
            made.push(files, whole=True)
        return made

    def token(self) -> str:
        """A new token of OWNER: the emulator takes any, and counts 5 000 requests an hour for each, as GitHub does."""
        return f"{TOKEN}_{uuid.uuid4().hex[:10]}"

    def call(self, method: str, path: str, body: Any = None, *, service: str = "github", token: str | None = None) -> Any:
        """One request past the gateway (it is not journalled and cannot fail by the test's wish); the JSON answer."""
        self._calls += 1
        token = token or (TOKEN if service != "github" else f"{TOKEN}_{self._calls // 1000}")
        target = (self.github if service == "github" else self.slack).target
        assert target is not None
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{target[0]}:{target[1]}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(text) if text else None

    def _start(self, port: int) -> bool:
        seed = self._folder / "seed.json"
        seed.write_text(json.dumps(self._seed()))
        command = [str(NODE), "-e", _STOP_WITH_OWNER.format(script=json.dumps(str(SCRIPT))), "--", "start", "--service", "github,slack"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(port), "--seed", str(seed)], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, cwd=self._folder,
            )  # fmt: skip
        self.github.target, self.slack.target = ("127.0.0.1", port), ("127.0.0.1", port + 1)
        if _listening(self._process, port) and _listening(self._process, port + 1):
            return True
        self.stop()
        return False

    def _seed(self) -> dict[str, Any]:
        app = {
            "app_id": APP_ID, "slug": APP_SLUG, "name": "aks-copilot", "private_key": self.app_key,
            "permissions": dict.fromkeys(("contents", "pull_requests", "checks", "actions"), "write") | {"metadata": "read"},
            "events": ["push", "pull_request"],
            "installations": [{"installation_id": INSTALLATION, "account": APP_OWNER, "repository_selection": "all"}],
        }  # fmt: skip
        org = {"login": APP_OWNER, "members": [{"login": OWNER, "role": "admin"}]}
        github = {"baseUrl": self.github.url, "users": [{"login": OWNER}], "orgs": [org], "apps": [app]}
        return {"github": github, "slack": {"baseUrl": self.slack.url}}


def signature(body: bytes, secret: str = SECRET) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def deliver(
    url: str, event: str, payload: Mapping[str, Any] | bytes, *, secret: str = SECRET, delivery: str | None = None, **headers: str | None
) -> tuple[int, str]:
    """POST one delivery as GitHub does; (status, body). A header that is None is left out; names are written with underscores."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent: dict[str, str | None] = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(body, secret),
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, {name: value for name, value in sent.items() if value is not None})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def push_payload(repository: str, before: str, after: str, branch: str = "main", **more: Any) -> dict[str, Any]:
    """The fields of a push event that the program reads, as GitHub names them."""
    zero = "0" * 40
    facts = {"created": before == zero, "deleted": after == zero, "forced": False}
    about = {"full_name": repository, "default_branch": "main", "private": False}
    return {"ref": f"refs/heads/{branch}", "before": before, "after": after, **facts, "repository": about, **more}


def pull_payload(repository: str, pull: Mapping[str, Any], action: str, **more: Any) -> dict[str, Any]:
    """A pull_request event about a pull request as the API gives it."""
    about = {"full_name": repository, "default_branch": "main", "private": False}
    return {"action": action, "number": pull["number"], "pull_request": dict(pull), "repository": about, **more}


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, kind, plain).decode()


def _free_pair() -> int:
    """A port that is free now, and the next one too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def _listening(process: subprocess.Popen[bytes], port: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False
