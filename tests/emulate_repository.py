"""A repository on the GitHub emulator: pushed to through git data, as `git push` would, and read as a reviewer would."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulate_support import Emulate

SECRET = "hook-secret-of-the-tests"


class Repository:
    """A repository on the emulator, written through git data as `git push` would."""

    def __init__(self, emulate: Emulate, full_name: str) -> None:
        self.emulate, self.name = emulate, full_name

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A request below /repos/<name>."""
        return self.emulate.call(method, f"/repos/{self.name}{path}", body)

    def head(self, branch: str = "main") -> str:
        """The commit of a branch."""
        return str(self.call("GET", f"/git/ref/heads/{branch}")["object"]["sha"])

    def push(
        self, files: Mapping[str, bytes | str | None], branch: str = "main", message: str = "A change", *, whole: bool = False,
        force_onto: str | None = None, modes: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """Commit files (None deletes one; `whole`: nothing else stays) on a branch, which is made where it is not; the new commit.

        `force_onto` names the commit that the new one is built on instead of the branch's head.
        """
        existing = [r["ref"] for r in self.call("GET", f"/git/matching-refs/heads/{branch}") if r["ref"] == f"refs/heads/{branch}"]
        parent = force_onto or self.head(branch if existing else "main")
        commit = self.commit(files, parent, message, whole=whole, modes=modes)
        if existing:
            self.call("PATCH", f"/git/refs/heads/{branch}", {"sha": commit, "force": force_onto is not None})
        else:
            self.call("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        return commit

    def commit(
        self, files: Mapping[str, bytes | str | None], parent: str, message: str = "A change", *, whole: bool = False,
        modes: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """A commit that no ref names yet."""
        entries = [self._entry(path, data, (modes or {}).get(path, "100644")) for path, data in files.items()]
        base = None if whole else self.call("GET", f"/git/commits/{parent}")["tree"]["sha"]
        tree = self.call("POST", "/git/trees", {"tree": entries} | ({"base_tree": base} if base else {}))["sha"]
        return str(self.call("POST", "/git/commits", {"message": message, "tree": tree, "parents": [parent]})["sha"])

    def _entry(self, path: str, data: bytes | str | None, mode: str) -> dict[str, Any]:
        if mode == "160000":
            return {"path": path, "mode": mode, "type": "commit", "sha": str(data)}
        if data is None:
            return {"path": path, "mode": mode, "type": "blob", "sha": None}
        raw = data.encode() if isinstance(data, str) else data
        body = {"content": base64.b64encode(raw).decode(), "encoding": "base64"}
        return {"path": path, "mode": mode, "type": "blob", "sha": self.call("POST", "/git/blobs", body)["sha"]}

    def hook(self, url: str, secret: str = SECRET, events: tuple[str, ...] = ("push", "pull_request")) -> int:
        """Register a webhook; its id."""
        config = {"url": url, "content_type": "json", "secret": secret}
        return int(self.call("POST", "/hooks", {"name": "web", "active": True, "events": list(events), "config": config})["id"])

    def deliveries(self, hook: int) -> list[dict[str, Any]]:
        """What was delivered to a hook: `event`, `status_code`, `delivered_at`..."""
        return list(self.call("GET", f"/hooks/{hook}/deliveries?per_page=100"))

    def open_pull(self, head: str, base: str = "main", title: str = "A change") -> dict[str, Any]:
        """A pull request."""
        return dict(self.call("POST", "/pulls", {"title": title, "head": head, "base": base}))

    def pulls(self, state: str = "all") -> list[dict[str, Any]]:
        """Every pull request."""
        return list(self.call("GET", f"/pulls?state={state}&per_page=100"))

    def checks(self, commit: str) -> list[dict[str, Any]]:
        """The check runs of a commit."""
        return list(self.call("GET", f"/commits/{commit}/check-runs?per_page=100")["check_runs"])

    def files(self, ref: str) -> dict[str, bytes]:
        """Path to content of a commit or branch."""
        tree = self.call("GET", f"/git/trees/{ref}?recursive=1")["tree"]
        blobs = {entry["path"]: entry["sha"] for entry in tree if entry["type"] == "blob"}
        return {path: base64.b64decode(self.call("GET", f"/git/blobs/{sha}")["content"]) for path, sha in blobs.items()}
