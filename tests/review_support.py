"""A pull request of a user on the emulator, and who takes reviews there.

The emulator knows comments by position in a diff only, as GitHub once did: `Reviewer` takes reviews in its place, holds them against
GitHub's rules, and leaves the review itself to the emulator, so that its text is read back from there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from emulate_support import TOKEN, Emulate, Repository
from fakes import World
from gateway import Reply, Seen

from shared.adapters.github.client import Client
from shared.adapters.github.reviews import GitHubReviews
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.archive import ArchiveLimits
from shared.pipeline import names, publish, state
from shared.pipeline.context import Limits
from shared.pipeline.suggestions import SuggestionsPublisher
from shared.services import build_engine

FOLDER = "deploy/shop"
REVIEWS = r"/pulls/\d+/reviews$"


class Reviewer:
    """Takes reviews as GitHub does: all comments or none, each on lines that one hunk of the pull request shows."""

    def __init__(self, emulate: Emulate, repository: Repository) -> None:
        self.emulate, self.repository = emulate, repository
        self.comments: list[dict[str, Any]] = []
        self.texts: list[str] = []
        emulate.github.answer("POST", f"{repository.name}{REVIEWS}", self.take)

    def take(self, seen: Seen) -> Reply:
        body = seen.json
        assert body["event"] == "COMMENT"
        pull = self.emulate.call("GET", seen.path.removesuffix("/reviews"))
        compared = self.repository.call("GET", f"/compare/{pull['base']['sha']}...{body['commit_id']}")
        patches = {file["filename"]: file["patch"] for file in compared["files"]}
        for one in body["comments"]:
            assert one["side"] == "RIGHT"
            assert one.get("start_line", one["line"] - 1) < one["line"]
            if not in_one_hunk(patches[one["path"]], one.get("start_line", one["line"]), one["line"]):
                return Reply(422, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]})
        made = self.emulate.call("POST", seen.path, {k: v for k, v in body.items() if k != "comments"})
        self.comments += body["comments"]
        self.texts.append(body["body"])
        return Reply(200, made)

    def accepted(self, path: str, text: str) -> str:
        """The file after every suggestion was taken, from the last one up, as GitHub replaces the lines."""
        lines = text.splitlines(keepends=True)
        for one in sorted((c for c in self.comments if c["path"] == path), key=lambda c: -c["line"]):
            block = re.search(r"\n```suggestion\n(.*?)```\Z", one["body"], re.DOTALL)
            assert block, one["body"]
            lines[one.get("start_line", one["line"]) - 1 : one["line"]] = [block[1]]
        return "".join(lines)


def in_one_hunk(diff: str, start: int, end: int) -> bool:
    for found in re.finditer(r"(?m)^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@", diff):
        first = int(found[1])
        if first <= start and end < first + int(found[2] or 1):
            return True
    return False


class Pulled:
    """A pull request of a user, and its finished run."""

    def __init__(self, emulate: Emulate, before: Mapping[str, str], after: Mapping[str, str], folder: str = FOLDER, **origin: Any) -> None:
        self.emulate, self.folder, self.more = emulate, folder, origin
        self.repository = emulate.repository({"README.md": "hello\n"} | {self._at(path): text for path, text in before.items()})
        self.after = dict(before) | dict(after)
        self.base = self.repository.head()
        self.head = self.repository.push({self._at(path): text for path, text in after.items()}, branch="feature")
        self.number = self.repository.open_pull("feature")["number"]
        self.reviewer = Reviewer(emulate, self.repository)
        client = Client(emulate.github.url, EnvironmentSecrets({"GITHUB_TOKEN": TOKEN}), timeout=2)
        self.publisher = SuggestionsPublisher(GitHubReviews(client))
        self.world, self.run = self.finished()

    def _at(self, path: str) -> str:
        return f"{self.folder}/{path}" if self.folder else path

    def finished(self) -> tuple[World, str]:
        world = World(engine=build_engine(), limits=Limits(archive=ArchiveLimits()), publishers={"suggestions": self.publisher})
        world.put({f"shop/{path}": text for path, text in self.after.items()})
        world.drain()
        (run,) = world.runs()
        about = {"repository": self.repository.name, "commit": self.head, "before": self.base, "path": self.folder or "."}
        about |= {"pullRequest": self.number, "results": "pull-request", "layout": None, "installation": None}
        state.save(world.context, names.origin(run), about | self.more)
        return world, run

    def tell(self) -> Mapping[str, Any] | None:
        """As the pipeline does: what was told is kept."""
        told = self.publisher(self.world.context, self.run)
        publish.keep(self.world.context, self.run, "suggestions", told or {})
        return told

    def pushed(self, files: Mapping[str, str]) -> None:
        """The user pushes to the branch. The emulator leaves the pull request's head where it was when it was opened."""
        self.after |= files
        self.head = self.repository.push({self._at(path): text for path, text in files.items()}, branch="feature")
        pull = self.repository.call("GET", f"/pulls/{self.number}")
        pull["head"]["sha"] = self.head
        self.emulate.github.answer("GET", rf"/pulls/{self.number}$", Reply(200, pull))
        self.world, self.run = self.finished()
