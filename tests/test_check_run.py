"""The check run: what it says, and that it is one with every annotation once, whatever GitHub does in between. On the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from emulate_support import APP_ID, APP_OWNER, INSTALLATION, TOKEN, Emulate, Repository
from fakes import World
from gateway import Reply, Seen

from shared.adapters.github.checks import GitHubChecks
from shared.adapters.github.client import Client
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.archive import ArchiveLimits
from shared.domain.check_run import MOST, check_name, conclusion, failed_check, finished_check
from shared.domain.code_host import Repository as Place
from shared.domain.errors import TransientError, ValidationError
from shared.domain.model import FileOutcome, PatchOperation, SourceFinding, Violation
from shared.domain.run import RunSetup
from shared.pipeline import names, state
from shared.pipeline.check_run import CheckPublisher
from shared.pipeline.context import Limits
from shared.services import build_engine

SAMPLE = Path(__file__).parents[1] / "samples" / "k3s-shop"
FOLDER = "deploy/shop"
SETUP = RunSetup("shop-000000000000", "shop", SourceFinding("k3s", ()), {"title": "AKS"}, {}, {}, False)


def publisher(emulate: Emulate) -> CheckPublisher:
    client = Client(emulate.github.url, EnvironmentSecrets({"GITHUB_TOKEN": TOKEN}), timeout=2)
    return CheckPublisher(GitHubChecks(client), "https://copilot.example/{runId}")


def texts(folder: Path = SAMPLE) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def finished(emulate: Emulate, files: dict[str, str], **origin: Any) -> tuple[World, str, Repository]:
    """A finished run of files that lie in a folder of a repository."""
    repository = emulate.repository({f"{FOLDER}/{path}": text for path, text in files.items()})
    world = World(engine=build_engine(), limits=Limits(archive=ArchiveLimits()))
    world.put({f"shop/{path}": text for path, text in files.items()})
    world.drain()
    (run,) = world.runs()
    about = {"repository": repository.name, "commit": repository.head(), "path": FOLDER, "results": "pull-request"}
    state.save(world.context, names.origin(run), about | origin)
    return world, run, repository


class Adding:
    """GitHub adds the annotations of an update to those that are there; the emulator replaces them and drops titles and columns.

    So updates are answered here: what was sent is added up, and the emulator gets the sum. `lose` is the number of the write
    (from 1, over POST and PATCH) whose answer goes missing after it took effect.
    """

    def __init__(self, emulate: Emulate, lose: int = 0) -> None:
        self.emulate, self.lose, self.writes = emulate, lose, 0
        self.sent: list[dict[str, Any]] = []
        emulate.github.answer("POST", "/check-runs$", self.create)
        emulate.github.answer("PATCH", "/check-runs/", self.update)

    def create(self, seen: Seen) -> Reply | None:
        self.writes += 1
        return Reply(lost=True, drop=True) if self.writes == self.lose else None

    def update(self, seen: Seen) -> Reply | None:
        self.writes += 1
        body = seen.json
        batch = body["output"].get("annotations", [])
        assert len(batch) <= 50
        self.sent += batch
        body["output"]["annotations"] = self.sent
        answer = self.emulate.call("PATCH", seen.path, body)
        return Reply(200, answer, drop=self.writes == self.lose)


def many(count: int) -> dict[str, str]:
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: c{n}\nspec:\n  storageClassName: local-path\n"
    claim += "  accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 1Gi}}}}\n"
    return {f"c{n:03d}.yaml": claim.format(n=n) for n in range(count)}


def test_annotations_stand_at_the_exact_lines_of_the_files_of_the_commit(emulate: Emulate) -> None:
    world, run, repository = finished(emulate, texts())

    github = Adding(emulate)
    told = publisher(emulate)(world.context, run)

    (check,) = repository.checks(repository.head())
    assert (check["name"], check["external_id"], check["status"]) == ("aks-copilot / shop", run, "completed")
    assert check["details_url"] == f"https://copilot.example/{run}"
    assert told is not None
    assert told["url"] == check["html_url"]
    report = json.loads(world.blobs.texts(names.REPORTS)[f"{run}/report.json"])
    expected = {
        (f"{FOLDER}/{file['path']}", v["line"], v["column"], f"{v['ruleId']} {v['title']}")
        for file in report["files"]
        for v in file["violations"]
        if file["status"] != "created" and v["resolution"] != "ignored"
    }
    assert {(a["path"], a["start_line"], a["start_column"], a["title"]) for a in github.sent} == expected
    committed = repository.files(repository.head())
    for one in github.sent:
        assert one["start_line"] <= len(committed[one["path"]].splitlines())
        assert (one["end_line"], one["end_column"]) == (one["start_line"], one["start_column"])


def test_a_storage_class_is_annotated_on_its_own_line(emulate: Emulate) -> None:
    world, run, repository = finished(emulate, many(1))

    github = Adding(emulate)
    publisher(emulate)(world.context, run)

    (one,) = [a for a in github.sent if a["title"].startswith("AKS0101")]
    line = repository.files(repository.head())[one["path"]].decode().splitlines()[one["start_line"] - 1]
    assert line.strip() == "storageClassName: local-path"
    assert line[one["start_column"] - 1 :].startswith(("storageClassName", "local-path"))


def test_in_progress_first_then_the_same_check_completed(emulate: Emulate) -> None:
    world, run, repository = finished(emulate, many(1))
    data = world.blobs.texts(names.RUNS)[names.finished(run)]
    world.blobs.delete(names.RUNS, names.finished(run))
    tell = publisher(emulate)

    tell(world.context, run)
    assert [c["status"] for c in repository.checks(repository.head())] == ["in_progress"]

    world.blobs.write(names.RUNS, names.finished(run), data)
    tell(world.context, run)
    tell(world.context, run)
    assert [c["status"] for c in repository.checks(repository.head())] == ["completed"]


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_a_lost_answer_doubles_neither_the_check_nor_its_annotations(emulate: Emulate, lost: int) -> None:
    world, run, repository = finished(emulate, many(120))
    github = Adding(emulate, lost)
    tell = publisher(emulate)

    with pytest.raises(TransientError):
        tell(world.context, run)
    tell(world.context, run)

    (check,) = repository.checks(repository.head())
    assert (check["status"], check["conclusion"]) == ("completed", "success")
    assert len(github.sent) == len({(a["path"], a["start_line"], a["title"]) for a in github.sent}) == 120


def test_a_token_that_may_not_write_checks_leaves_a_status(emulate: Emulate) -> None:
    world, run, repository = finished(emulate, many(1))
    refused = Reply(403, {"message": "Resource not accessible by personal access token"})
    emulate.github.answer("POST", "/check-runs", refused)
    statuses: list[Any] = []

    def status(request: Seen) -> Reply:  # the emulator has statuses, but what was sent is what is of interest
        statuses.append(request.json)
        return Reply(201, {"state": "success"})

    emulate.github.answer("POST", "/statuses/", status)

    publisher(emulate)(world.context, run)

    (sent,) = statuses
    assert (sent["context"], sent["state"], sent["target_url"]) == ("aks-copilot / shop", "success", f"https://copilot.example/{run}")
    assert repository.checks(repository.head()) == []


def test_a_rate_limit_is_waited_for(emulate: Emulate) -> None:
    world, run, _ = finished(emulate, many(1))
    emulate.github.fail("POST", "/check-runs", 403, Retry_After="7")

    with pytest.raises(TransientError) as error:
        publisher(emulate)(world.context, run)

    assert error.value.retry_after == 8


def test_a_repository_that_is_gone_is_recorded_and_not_retried(emulate: Emulate) -> None:
    world, run, _ = finished(emulate, many(1), repository="acme/nowhere")

    with pytest.raises(ValidationError, match="not found on GitHub"):
        publisher(emulate)(world.context, run)


def test_runs_that_come_from_elsewhere_or_want_no_results_have_no_check(emulate: Emulate) -> None:
    world, run, repository = finished(emulate, many(1), results="none")
    assert publisher(emulate)(world.context, run) is None
    world.blobs.delete(names.RUNS, names.origin(run))
    assert publisher(emulate)(world.context, run) is None
    assert repository.checks(repository.head()) == []


def test_a_failed_run_is_a_failed_check_that_says_why() -> None:
    report = failed_check("shop", "patcher", "disk full, password=hunter2hunter2")

    assert (report.conclusion, report.title) == ("failure", "shop: the run failed")
    assert "disk full" in report.summary
    assert "hunter2hunter2" not in report.summary


def violation(severity: Any, resolution: Any, line: int = 1) -> Violation:
    return Violation("AKS0101", "title", severity, 0, "", line, 1, None, "message", (), resolution)


@pytest.mark.parametrize(
    ("found", "fail_on", "expected"),
    [
        ([], "error", "success"),
        ([violation("error", "fixed")], "error", "success"),
        ([violation("error", "ignored")], "error", "success"),
        ([violation("warning", "suggested")], "error", "neutral"),
        ([violation("warning", "suggested")], "warning", "failure"),
        ([violation("error", "needs-human")], "error", "failure"),
        ([violation("error", "needs-human")], "never", "neutral"),
    ],
)
def test_the_conclusion_is_that_of_the_exit_code(found: list[Violation], fail_on: Any, expected: str) -> None:
    assert conclusion([FileOutcome("a.yaml", "unchanged", None, 1, tuple(found))], fail_on) == expected


def test_a_refused_file_is_a_failure_with_an_annotation_at_its_top() -> None:
    report = finished_check(SETUP, [FileOutcome("a.yaml", "refused", "unrendered template")], {}, folder="deploy")

    assert report.conclusion == "failure"
    assert [(a["path"], a["start_line"], a["message"]) for a in report.annotations] == [("deploy/a.yaml", 1, "unrendered template")]


def test_more_findings_than_a_check_shows_are_counted_and_the_gravest_shown() -> None:
    found = (*(violation("info", "needs-human", n) for n in range(1, MOST + 20)), violation("error", "needs-human", 9999))

    report = finished_check(SETUP, [FileOutcome("a.yaml", "unchanged", None, 1, found)], {})

    assert len(report.annotations) == MOST
    assert report.annotations[0]["start_line"] == 9999
    assert report.summary.startswith("**20 findings have no annotation")


def test_values_of_secrets_are_hidden_in_what_a_rule_changes() -> None:
    operation = PatchOperation("add", "/0/stringData/password", "AKS0101", "hunter2hunter2")
    outcome = FileOutcome("a.yaml", "patched", None, 1, (violation("error", "fixed"),), (operation,))

    report = finished_check(SETUP, [outcome], {})

    assert "hunter2hunter2" not in json.dumps(report.annotations)
    assert "/0/stringData/password" in report.annotations[0]["raw_details"]


def test_the_name_is_that_of_the_application() -> None:
    assert check_name("shop") == "aks-copilot / shop"


def test_a_github_app_writes_checks_with_all_that_its_installation_may(emulate: Emulate) -> None:
    secrets = EnvironmentSecrets({"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": emulate.app_key})
    repository = emulate.repository({"a.yaml": "a: 1\n"}, owner=APP_OWNER)
    host = GitHubChecks(Client(emulate.github.url, secrets))
    place = Place(repository.name, INSTALLATION)

    made = host.create(place, {"name": "x", "head_sha": repository.head(), "external_id": "run", "status": "in_progress"})

    assert host.find(place, repository.head(), "x", "run") == made
    assert len(emulate.github.calls("POST", "/access_tokens$")) == 1
