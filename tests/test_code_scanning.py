"""SARIF for GitHub's code scanning: within its limits, at the paths of the repository. The emulator lacks the endpoint: it is stubbed."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from emulate_support import TOKEN, Emulate
from gateway import Reply
from test_check_run import FOLDER, finished, texts

from shared.adapters.github.client import Client
from shared.adapters.github.scanning import GitHubScanning
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain import code_scanning
from shared.domain.code_scanning import prepare
from shared.domain.errors import TransientError, ValidationError
from shared.pipeline import names, publish
from shared.pipeline.code_scanning import CodeScanningPublisher

UPLOADS = "/code-scanning/sarifs$"


def publisher(emulate: Emulate) -> CodeScanningPublisher:
    return CodeScanningPublisher(GitHubScanning(Client(emulate.github.url, EnvironmentSecrets({"GITHUB_TOKEN": TOKEN}), timeout=2)))


def opened(sarif: str) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(sarif)))
    return log


def test_findings_are_uploaded_once_at_the_paths_of_the_repository(emulate: Emulate) -> None:
    emulate.github.answer("POST", UPLOADS, Reply(202, {"id": "1", "url": "https://api.github.com/x"}))
    world, run, repository = finished(emulate, texts(), codeScanning=True, ref="refs/heads/main")
    tell = publisher(emulate)

    publish.keep(world.context, run, "sarif", tell(world.context, run) or {})
    tell(world.context, run)

    (sent,) = [seen.json for seen in emulate.github.calls("POST", UPLOADS)]
    assert (sent["commit_sha"], sent["ref"], sent["tool_name"]) == (repository.head(), "refs/heads/main", "aks-copilot")
    results = opened(sent["sarif"])["runs"][0]["results"]
    committed = repository.files(repository.head())
    assert results
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].startswith(f"{FOLDER}/")
        assert place["region"]["startLine"] <= len(committed[place["artifactLocation"]["uri"]].splitlines())
        assert "suppressions" not in result
    fixed = [c["artifactLocation"]["uri"] for r in results for f in r.get("fixes", []) for c in f["artifactChanges"]]
    assert fixed
    assert set(fixed) <= set(committed)


def test_only_repositories_that_ask_for_it_get_it(emulate: Emulate) -> None:
    world, run, _ = finished(emulate, texts())

    assert publisher(emulate)(world.context, run) is None
    assert emulate.github.calls("POST", UPLOADS) == []


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(403, {"message": "Advanced Security must be enabled"}), ValidationError, "code scanning is off"),
        (Reply(404, {"message": "Not Found"}), ValidationError, "not found on GitHub"),
        (Reply(413, {"message": "Payload too large"}), ValidationError, "413"),
        (Reply(503, {}), TransientError, "503"),
    ],
)
def test_what_github_refuses_is_one_line(emulate: Emulate, reply: Reply, kind: Any, said: str) -> None:
    emulate.github.answer("POST", UPLOADS, reply)
    world, run, _ = finished(emulate, texts(), codeScanning=True, ref="refs/heads/main")

    with pytest.raises(kind, match=said):
        publisher(emulate)(world.context, run)


def log(count: int, level: str = "note") -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": "a%20b.yaml"}, "region": {"startLine": 1}}}
    return {"runs": [{"results": [{"level": level, "locations": [place], "n": n} for n in range(count)]}]}


def test_what_is_over_the_limit_is_counted_and_the_gravest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_scanning, "MOST_RESULTS", 3)
    many = log(5)
    many["runs"][0]["results"] += log(1, "error")["runs"][0]["results"]

    upload = prepare(json.dumps(many).encode(), "deploy/my shop")

    results = opened(upload.sarif)["runs"][0]["results"]
    assert (upload.left_out, [r["level"] for r in results]) == (3, ["error", "note", "note"])
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "deploy/my%20shop/a%20b.yaml"


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_scanning, "MOST_BYTES", 50)

    with pytest.raises(ValidationError, match="larger than GitHub takes"):
        prepare(json.dumps(log(100)).encode())


def test_accepted_findings_become_no_alert() -> None:
    accepted = log(2)
    accepted["runs"][0]["results"][0]["suppressions"] = [{"kind": "inSource"}]

    assert [r["n"] for r in opened(prepare(json.dumps(accepted).encode()).sarif)["runs"][0]["results"]] == [1]


def test_the_same_report_is_the_same_upload(emulate: Emulate) -> None:
    world, run, _ = finished(emulate, texts())
    report = world.blobs.texts(names.REPORTS)[f"{run}/report.sarif"]

    assert prepare(report).sarif == prepare(report).sarif
