"""Accepted findings: by an annotation on the object or by the baseline file, with a reason; nothing is changed for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_process import CLAIM, aks_copilot, write

from shared.domain.acceptance import FILE_NAME, read_baseline
from shared.domain.errors import ValidationError
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.model import Violation
from shared.domain.patcher import patch
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose

ENTRY = """\
accepted:
  - rule: AKS0101
    file: claim.yaml
    resource: PersistentVolumeClaim/data
    by: ann@example.com
    date: 2026-05-01
    until: 2026-12-31
    reason: The class is made on AKS too
"""


def annotated(reason: str) -> str:
    return CLAIM.replace("  name: data\n", f"  name: data\n  annotations:\n    ignore.aks-copilot.io/AKS0101: {reason}\n")


def run(claim: str, baseline: str | None = None, today: str = "2026-11-23") -> tuple[list[Violation], bytes | None, Any]:
    files = [SourceFile("claim.yaml", claim.encode())]
    files += [SourceFile(FILE_NAME, baseline.encode())] if baseline else []
    setup = plan_run(files, RunOptions("shop", today=today))
    findings = inspect(files[0], setup)
    done = patch(files[0], findings, propose(files[0], findings, setup), setup)
    return [v for v in done.outcome.violations if v.rule_id == "AKS0101"], done.data, setup


def test_without_acceptance_the_class_is_changed() -> None:
    [violation], data, _ = run(CLAIM)
    assert violation.resolution == "fixed"
    assert b"managed-csi" in (data or b"")


def test_an_annotation_with_a_reason_is_the_teams_answer() -> None:
    claim = annotated("our own class")
    [violation], data, _ = run(claim)
    assert (violation.resolution, violation.reason) == ("ignored", "Ignored by the object's annotation: our own class.")
    assert data == claim.encode()


def test_an_annotation_without_a_reason_accepts_nothing() -> None:
    [violation], _, _ = run(annotated('""'))
    assert violation.resolution == "fixed"


def test_an_entry_says_who_when_and_why() -> None:
    [violation], data, _ = run(CLAIM, ENTRY)
    expected = "Accepted on 2026-05-01 by ann@example.com, until 2026-12-31: The class is made on AKS too."
    assert (violation.resolution, violation.reason) == ("ignored", expected)
    assert data == CLAIM.encode()


@pytest.mark.parametrize(
    "other",
    [
        ENTRY.replace("claim.yaml", "other.yaml"),
        ENTRY.replace("AKS0101", "AKS0102"),
        ENTRY.replace("Claim/data", "Claim/other"),
        ENTRY.replace("Claim/data", "Claim/shop/data"),
        ENTRY + "    path: /spec/other\n",
    ],
)
def test_an_entry_for_something_else_accepts_nothing(other: str) -> None:
    assert run(CLAIM, other)[0][0].resolution == "fixed"


def test_an_entry_may_name_the_namespace_and_the_place() -> None:
    claim = CLAIM.replace("  name: data\n", "  name: data\n  namespace: shop\n")
    exact = ENTRY.replace("Claim/data", "Claim/shop/data") + "    path: /spec/storageClassName\n"
    assert run(claim, exact)[0][0].resolution == "ignored"


def test_a_day_later_it_is_over_and_said_so() -> None:
    claim = CLAIM.replace("local-path", "some-class")
    entry = ENTRY.replace("AKS0101", "AKS0102")

    def found(today: str) -> Violation:
        files = [SourceFile("claim.yaml", claim.encode()), SourceFile(FILE_NAME, entry.encode())]
        setup = plan_run(files, RunOptions("shop", "k3s", today=today))
        return next(v for v in propose(files[0], inspect(files[0], setup), setup).violations if v.rule_id == "AKS0102")

    assert found("2026-12-31").resolution == "ignored"
    over = found("2027-01-01")
    assert over.resolution == "needs-human"
    assert (over.reason or "").startswith("Accepted on 2026-05-01 by ann@example.com, until 2026-12-31: that day is over.")


def test_the_day_changes_the_run_only_where_something_ends() -> None:
    assert run(CLAIM, ENTRY, "2026-11-23")[2].run_id == run(CLAIM, ENTRY, "2026-11-24")[2].run_id
    assert run(CLAIM, ENTRY, "2026-11-23")[2].run_id != run(CLAIM, ENTRY, "2027-01-01")[2].run_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accepted: [", f"{FILE_NAME}:1: not readable"),
        (ENTRY.replace("    by: ann@example.com\n", ""), f"{FILE_NAME}:2: accepted.0.by: Field required"),
        (ENTRY.replace("2026-12-31", "soon"), f"{FILE_NAME}:7: accepted.0.until"),
        (ENTRY.replace("reason: The class is made on AKS too", 'reason: ""'), f"{FILE_NAME}:8: accepted.0.reason"),
        ("- AKS0101\n", f"{FILE_NAME}:1: "),
        ("version: 2\n", f"{FILE_NAME}:1: version"),
    ],
)
def test_a_wrong_file_is_one_line_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        read_baseline(text.encode())
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_sarif_says_where_a_finding_was_suppressed(tmp_path: Path) -> None:
    write(tmp_path / "app", claim_yaml=annotated("our own class"), other_yaml=CLAIM)
    (tmp_path / "app" / FILE_NAME).write_text(ENTRY.replace("claim.yaml", "other.yaml"))
    done = aks_copilot("inspect", tmp_path / "app", "--format", "sarif")
    results = [r for r in json.loads(done.stdout)["runs"][0]["results"] if r["ruleId"] == "AKS0101"]
    assert sorted(r["suppressions"][0]["kind"] for r in results) == ["external", "inSource"]


def test_the_baseline_command_accepts_what_fix_leaves(tmp_path: Path) -> None:
    app = write(tmp_path / "app", claim_yaml=CLAIM, open_yaml=CLAIM.replace("local-path", "gold").replace("name: data", "name: more"))
    accept = ("baseline", app, "--by", "Ann", "--until", "2099-12-31", "--reason", "moves in spring")
    done = aks_copilot(*accept)
    assert done.returncode == 0, done.stderr
    [entry] = read_baseline((app / FILE_NAME).read_bytes()).accepted
    assert (entry.rule, entry.file, entry.resource, entry.by) == ("AKS0102", "open.yaml", "PersistentVolumeClaim/more", "Ann")
    inspected = json.loads(aks_copilot("inspect", app, "--format", "json").stdout)
    found = {v["ruleId"]: v["resolution"] for f in inspected["files"] for v in f["violations"]}
    assert found == {"AKS0101": "suggested", "AKS0102": "ignored"}
    first = (app / FILE_NAME).read_bytes()
    assert b"nothing is left open" in aks_copilot(*accept).stdout
    assert (app / FILE_NAME).read_bytes() == first
    fixed = aks_copilot("fix", app, "--out", tmp_path / "out")
    assert fixed.returncode == 0, fixed.stdout
    assert (tmp_path / "out" / FILE_NAME).read_bytes() == first


def test_entries_join_a_file_without_touching_it(tmp_path: Path) -> None:
    app = write(tmp_path / "app", open_yaml=CLAIM.replace("local-path", "gold"))
    mine = "# ours\nversion: 1\naccepted:\n  - {rule: AKS0801, file: x.yaml, by: Bo, date: 2026-01-01, reason: old}  # kept\n"
    (app / FILE_NAME).write_text(mine)
    assert aks_copilot("baseline", app, "--by", "Ann", "--reason", "later", "--rule", "aks0102").returncode == 0
    text = (app / FILE_NAME).read_text()
    assert text.startswith(mine)
    assert [e.rule for e in read_baseline(text.encode()).accepted] == ["AKS0801", "AKS0102"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{app}/none", "--by", "a", "--reason", "b"], "not a folder"),
        (["{app}", "--by", "a", "--reason", "b", "--rule", "AKS9999"], "no rule AKS9999"),
        (["{app}", "--by", "a", "--reason", "b", "--until", "soon"], "soon"),
        (["{app}", "--by", "a", "--reason", " "], "--reason"),
        (["{app}", "--by", "a"], "Missing option '--reason'"),
    ],
)
def test_a_wrong_call_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    write(tmp_path, claim_yaml=CLAIM)
    done = aks_copilot("baseline", *(a.format(app=tmp_path) for a in arguments))
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert said in done.stderr.decode()


def test_findings_of_the_run_as_a_whole_are_accepted_too_and_entries_without_use_are_said(tmp_path: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
    claim = "volumes: [{name: d, persistentVolumeClaim: {claimName: gone}}]"
    pod = f'containers: [{{name: a, image: "a:1", resources: {{}}, volumeMounts: [{{name: d, mountPath: /d}}]}}], {claim}'
    pods = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web, labels: {{app: web}}}}\nspec: {{{pod}}}\n"
    app = write(tmp_path, svc_yaml=service, pod_yaml=pods, claim_yaml=CLAIM)
    row = "  - {{rule: {}, file: {}, by: Bo, date: 2026-01-01, reason: later}}\n"
    (app / FILE_NAME).write_text("accepted:\n" + row.format("AKS0007", "pod.yaml") + row.format("AKS0802", "svc.yaml"))
    for command in (["inspect", app], ["fix", app, "--diff"]):
        found = json.loads(aks_copilot(*command, "--format", "json").stdout)["files"]
        kept = {(f["path"], v["ruleId"]): v for f in found for v in f["violations"]}
        assert kept["pod.yaml", "AKS0007"]["resolution"] == "ignored"
        unused = kept[FILE_NAME, "AKS0014"]
        assert (unused["line"], unused["path"], unused["resolution"]) == (3, "/accepted/1", "ignored")
        assert "AKS0802" in unused["message"]
