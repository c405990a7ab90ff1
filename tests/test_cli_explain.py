"""`aks-copilot explain`: a rule, or what is found at a line; nothing secret, and one clear line where the call cannot be used."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from cli_process import CLAIM, PROJECT, write
from explain_support import explained, said

from shared.cli.main import run
from shared.cli.rules import skeleton

GOLDEN = Path(__file__).parent / "golden" / "explain"


SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: pull  # old: hunter2hunter2
  annotations: {kubernetes.io/service-account.name: builder}
type: kubernetes.io/service-account-token
stringData:
  token: hunter2hunter2
"""


@pytest.mark.parametrize("rule_id", ["AKS0101", "AKS0201", "AKS0801"])
def test_a_rule_s_page(rule_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, rule_id.lower())
    assert code == 0
    assert out == (GOLDEN / f"{rule_id}.txt").read_text(encoding="utf-8")


def test_no_value_of_a_secret_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, secret=SECRET)
    for form in ("text", "json"):
        _, out, _ = said(capsys, tmp_path / "secret.yaml:8", "--format", form)
        assert "AKS0739" in out
        assert "hunter2" not in out
    told = explained(tmp_path, "AKS0739")
    shown = [line.text for line in told.now] + [text for s in told.steps for text in (s.before, s.after)]
    assert any("***" in text for text in shown)
    assert not any("hunter2" in text for text in shown)


def test_a_credential_outside_of_a_secret_is_not_shown_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, claim=CLAIM.replace("# k3s", "# password=correct-horse-battery"))
    _, out, _ = said(capsys, tmp_path / "claim.yaml:7")
    assert "# password=***" in out
    assert "correct-horse" not in out


def test_a_line_inside_an_object_means_the_innermost_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = PROJECT / "samples" / "k3s-shop" / "20-web.yaml"
    _, out, _ = said(capsys, f"{sample}:24", "--format", "json")
    found = json.loads(out)
    assert (found["schemaVersion"], found["line"]) == (1, 24)
    assert [(f["ruleId"], f["line"]) for f in found["findings"]] == [("AKS0801", 23)]


def test_nothing_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, claim=CLAIM, chart="replicas: 1\n", template=CLAIM.replace("local-path", "{{ .Values.class }}"))
    place = tmp_path / "claim.yaml"
    assert said(capsys, f"{place}:1") == (0, f"{place}:1: nothing is found here; findings are at {place}:7\n", "")
    code, out, _ = said(capsys, tmp_path / "chart.yaml:1")
    assert (code, out.count("\n"), ": skipped: " in out) == (0, 1, True)
    code, out, _ = said(capsys, tmp_path / "template.yaml:7")
    assert (code, out.count("\n"), ": refused: " in out) == (1, 1, True)


@pytest.mark.parametrize(
    "arguments",
    [["AKS9999"], ["claim.yaml"], ["none.yaml:1"], ["claim.yaml:0"], ["claim.yaml:99"], [""], ["claim.yaml:7", "--target", "none"],
     ["claim.yaml:7", "--within", "none"], ["claim.yaml:7", "--within", "sub"], ["claim.yaml:7", "--knowledge", "none"]],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line_and_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(write(tmp_path, claim=CLAIM, sub__claim=CLAIM))
    code, out, err = said(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("aks-copilot: ")


def test_the_application_around_the_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, app__claim=CLAIM)
    (tmp_path / ".aks-copilot.yaml").write_text("storageClasses:\n  local-path: managed-csi-premium\n")
    _, alone, _ = said(capsys, tmp_path / "app" / "claim.yaml:7")
    _, within, _ = said(capsys, tmp_path / "app" / "claim.yaml:7:3", "--within", tmp_path)
    assert "+ managed-csi\n" in alone
    assert "+ managed-csi-premium\n" in within


def test_a_team_s_article_is_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    team = tmp_path / "team"
    (team / "articles").mkdir(parents=True)
    (team / "articles" / "ours.md").write_text(
        "---\ntitle: The storage class that does not exist on our AKS\nrules: [AKS0101]\nsources: [https://wiki.example.com/disks]\n---\n"
        "Our storage class for a claim of another cluster is zebra-disks.\n"
    )
    code, out, _ = said(capsys, "AKS0101", "--knowledge", team)
    assert code == 0
    assert "Read on: The storage class that does not exist on our AKS\n    Our storage class" in out
    assert "    https://wiki.example.com/disks\n" in out


def test_a_team_s_rule_is_explained_like_the_program_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules").mkdir()
    rule = skeleton("TEAM0001", "Our own limit", tmp_path).replace("{name} needs a look.", "Ours: {name}.")
    (tmp_path / "rules" / "TEAM0001-limit.yaml").write_text(rule)
    write(tmp_path, app__svc="apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  externalIPs: [10.0.0.1]\n")
    code, out, _ = said(capsys, "team0001", "--knowledge", tmp_path)
    assert (code, out.split("\n")[0]) == (0, "warning TEAM0001 Our own limit")
    code, out, _ = said(capsys, tmp_path / "app" / "svc.yaml:5", "--knowledge", tmp_path, "--format", "json")
    found = [f for f in json.loads(out)["findings"] if f["ruleId"] == "TEAM0001"]
    assert [(f["message"], f["readings"]) for f in found] == [("Ours: web.", [])]
    assert said(capsys, "TEAM0001")[0] == 2


def test_a_terminal_gets_the_article_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", screen)
    assert run(["explain", "AKS0523"]) == 0
    text = screen.getvalue()
    assert "|---|" not in text
    assert "topology.kubernetes.io/zone" in text
