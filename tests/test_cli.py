"""`inspect` and `fix` as a user calls them: exit codes, what stands on which stream, what is written and what is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import report_values as values
from cli_process import CLAIM, SERVICE, aks_copilot, write

from shared.cli import local, main
from shared.cli.tree import MAX_FILE_BYTES
from shared.domain.model import FileOutcome, Resolution, Severity
from shared.domain.run import RunSetup, SourceFile

SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", claim_yaml=CLAIM, web__service_yaml=SERVICE)


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_fix_writes_the_whole_tree_and_reports(app: Path, tmp_path: Path) -> None:
    out, reports = tmp_path / "out", tmp_path / "reports"
    done = aks_copilot("fix", app, "--out", out, "--report-dir", reports, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert (out / "claim.yaml").read_text() == CLAIM.replace("local-path", "managed-csi")
    assert (out / "web/service.yaml").read_bytes() == (app / "web/service.yaml").read_bytes()
    assert (app / "claim.yaml").read_text() == CLAIM
    assert sorted(files_of(reports)) == [
        "changes.diff",
        "cutover.md",
        "patch.json",
        "report.html",
        "report.json",
        "report.md",
        "report.sarif",
        "resources.md",
    ]
    assert done.stdout == (reports / "report.json").read_bytes()
    assert done.stderr == b""
    statuses = {f["path"]: f["status"] for f in json.loads(done.stdout)["files"]}
    assert statuses == {".aks-copilot.yaml": "created", "claim.yaml": "patched", "web/service.yaml": "unchanged"}


def test_fixing_the_result_again_changes_nothing(app: Path, tmp_path: Path) -> None:
    aks_copilot("fix", app, "--out", tmp_path / "one")
    done = aks_copilot("fix", tmp_path / "one", "--out", tmp_path / "two", "--format", "json")
    assert done.returncode == 0
    assert not any(f["operations"] for f in json.loads(done.stdout)["files"])
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_fix_in_place_changes_only_what_it_must(app: Path) -> None:
    (app / "claim.yaml").chmod(0o640)
    before = (app / "web/service.yaml").stat().st_mtime_ns
    done = aks_copilot("fix", app, "--in-place")
    assert done.returncode == 0
    assert "managed-csi" in (app / "claim.yaml").read_text()
    assert (app / "claim.yaml").stat().st_mode & 0o777 == 0o640
    assert (app / "web/service.yaml").stat().st_mtime_ns == before
    assert sorted(files_of(app)) == [".aks-copilot.yaml", "claim.yaml", "web/service.yaml"]


def test_diff_is_what_git_applies(app: Path) -> None:
    done = aks_copilot("fix", app, "--diff")
    assert done.returncode == 0
    assert (app / "claim.yaml").read_text() == CLAIM
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=app, check=True)
    assert "managed-csi" in (app / "claim.yaml").read_text()


def test_text_output_has_no_escape_codes_in_a_pipe_and_says_where_and_why(app: Path) -> None:
    done = aks_copilot("inspect", app, COLUMNS="40")
    lines = done.stdout.decode().splitlines()
    assert "\x1b" not in done.stdout.decode()
    assert any(line.startswith("  claim.yaml:7:3 error AKS0101 Storage class local-path") for line in lines)
    assert any("stays Pending on AKS" in line for line in lines)
    assert "      https://learn.microsoft.com/azure/aks/concepts-storage#storage-classes" in lines
    assert lines[-1].startswith("2 files, 1 finding, 0 fixed, 1 suggested")
    assert done.returncode == 1


def test_text_output_says_what_repeats_itself_once_and_counts_by_rule(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{0}}}\nspec: {{containers: [{{name: c, image: 'app:1'}}]}}\n"
    (tmp_path / "pods.yaml").write_text("---\n".join(pod.format(n) for n in range(8)))
    lines = aks_copilot("inspect", tmp_path).stdout.decode().splitlines()
    assert sum("AKS0801 Container c of Pod" in line for line in lines) == 3
    assert "  pods.yaml: 5 more of AKS0801, the same otherwise, in lines 19, 24, 29, 34, 39" in lines
    assert sum("Answer it under resources in .aks-copilot.yaml." in line for line in lines) == 1
    assert [line.split() for line in lines[-3:-1]] == [
        ["warning", "AKS0801", "8", "in", "1", "file", "A", "container", "without", "requests", "or", "limits"],
        ["warning", "AKS1030", "8", "in", "1", "file", "A", "container", "without", "probes"],
    ]
    complete = json.loads(aks_copilot("inspect", tmp_path, "--format", "json").stdout)["files"][0]["violations"]
    assert len(complete) == 16
    one_line = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [" + "{image: 'app:1'}, " * 6 + "]}\n"
    (tmp_path / "pods.yaml").write_text(one_line)
    assert "  pods.yaml: 3 more of AKS0801, the same otherwise, in line 4" in aks_copilot("inspect", tmp_path).stdout.decode()


def test_text_output_names_some_of_many_files_that_are_refused_alike_and_puts_errors_first(tmp_path: Path) -> None:
    for n in range(6):
        (tmp_path / f"t{n}.yaml").write_text(
            "kind: Service\n" * n + "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n"
        )
    (tmp_path / "z.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: pi4, containers: [{name: c, image: 'app:1'}]}\n"
    )
    lines = aks_copilot("inspect", tmp_path).stdout.decode().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("  refused t")] == ["t0.yaml", "t1.yaml", "t2.yaml"]
    assert "  refused 3 more files in ., for the same reason" in lines
    assert [line.split()[1] for line in lines if line.startswith("  z.yaml:")] == ["error", "warning", "warning"]


@pytest.mark.parametrize(
    ("resolution", "severity", "level", "left"),
    [
        ("needs-human", "warning", "error", False),
        ("needs-human", "warning", "warning", True),
        ("suggested", "error", "error", True),
        ("suggested", "info", "info", True),
        ("fixed", "error", "info", False),
        ("ignored", "error", "info", False),
    ],
)
def test_fail_on_says_which_findings_count(resolution: Resolution, severity: Severity, level: Severity, left: bool) -> None:
    finding = values.violation("TST0101", resolution=resolution, severity=severity)
    assert local.is_left([FileOutcome("a.yaml", "unchanged", None, 1, (finding,))], level) is left


def test_refused_and_failed_files_count_at_every_level() -> None:
    assert local.is_left([FileOutcome("a.yaml", "refused", "a template")], "error")
    assert local.is_left([FileOutcome("a.yaml", "failed", "a bug")], "error")
    assert not local.is_left([FileOutcome("a.txt", "skipped", "no manifest")], "info")


def test_inspect_in_json_and_sarif_and_github_form(app: Path) -> None:
    report = json.loads(aks_copilot("inspect", app, "--format", "json").stdout)
    entry = next(f for f in report["files"] if f["path"] == "claim.yaml")
    assert entry["status"] == "unchanged"
    assert entry["operations"] == []
    assert entry["suggestions"][0]["value"] == "managed-csi"
    assert entry["violations"][0]["resolution"] == "suggested"
    sarif = json.loads(aks_copilot("inspect", app, "--format", "sarif").stdout)
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(sarif)
    github = aks_copilot("inspect", app, "--format", "github").stdout.decode()
    assert github.startswith("::error file=claim.yaml,line=7,col=3,title=AKS0101::Storage class local-path")


def test_inspect_takes_several_paths_and_a_single_file(app: Path) -> None:
    both = json.loads(aks_copilot("inspect", app / "claim.yaml", app / "web", "--format", "json").stdout)
    assert [f["path"] for f in both["files"]] == ["claim.yaml", "web/service.yaml"]
    one = json.loads(aks_copilot("inspect", app / "web/service.yaml", "--format", "json").stdout)
    assert [f["path"] for f in one["files"]] == ["service.yaml"]


def test_source_and_target_are_taken(app: Path, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("storage: {disk: gold, file: azurefile-csi, known: [gold]}\n")
    done = aks_copilot("fix", app, "--diff", "--source", "okd", "--target", tmp_path / "target.yaml")
    assert b"+  storageClassName: gold  # k3s" in done.stdout
    assert b"+source: okd" in done.stdout


def test_no_secret_is_shown_anywhere(tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: very-secret-word\n---\n"
    write(tmp_path / "app", all_yaml=secret + CLAIM, bad_yaml=secret.replace("metadata", "\tmetadata"))
    done = aks_copilot("fix", tmp_path / "app", "--out", tmp_path / "out", "--report-dir", tmp_path / "rep", "--format", "json")
    shown = b"".join(
        [done.stdout, done.stderr, aks_copilot("fix", tmp_path / "app", "--diff").stdout, *files_of(tmp_path / "rep").values()]
    )
    assert b"storageClassName: managed-csi" in shown
    assert b"very-secret-word" not in shown
    assert b"very-secret-word" in (tmp_path / "out" / "all.yaml").read_bytes()


BAD_CALLS = {
    "no path": (["fix"], "Missing argument 'PATH'"),
    "nothing to write to": (["fix", "{app}"], "choose one of --out DIR, --in-place and --diff"),
    "two ways to write": (["fix", "{app}", "--in-place", "--diff"], "choose one of --out DIR, --in-place and --diff"),
    "path is missing": (["inspect", "{app}/none"], "{app}/none: no such file or folder"),
    "out is the input": (["fix", "{app}", "--out", "{app}"], "--out would overwrite the input file"),
    "unknown source": (["inspect", "{app}", "--source", "mars"], "unknown source 'mars'"),
    "target is missing": (["inspect", "{app}", "--target", "{app}/none.yaml"], "No such file or directory"),
    "target is wrong": (["inspect", "{app}", "--target", "{app}/claim.yaml"], "{app}/claim.yaml:2: apiVersion: "),
    "unknown option": (["inspect", "{app}", "--colour"], "No such option: --colour"),
    "unknown format": (["inspect", "{app}", "--format", "xml"], "Invalid value for '--format'"),
    "unknown rule": (["rules", "show", "AKS9999"], "no rule AKS9999"),
    "unknown profile": (["profiles", "show", "mars"], "no profile mars"),
    "no storage": (["runs"], "STORAGE (a connection string) or STORAGE__blobServiceUri is missing"),
    "no address": (["runs", "--url", "ftp://x"], "--url must start with https://"),
    "nobody at the address": (["runs", "--url", "http://127.0.0.1:9"], "http://127.0.0.1:9: "),
    "unknown command": (["frobnicate"], "No such command 'frobnicate'"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_call_that_cannot_be_used_gets_one_line_and_exit_code_2(app: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    done = aks_copilot(*(a.format(app=app) for a in arguments), cwd=tmp_path)
    message = done.stderr.decode()
    assert done.returncode == 2, message
    assert done.stdout == b""
    assert message.startswith("aks-copilot: ")
    assert message.count("\n") == 1
    assert said.format(app=app) in message


def test_one_bad_file_is_exit_code_1_and_the_others_are_fixed(app: Path, tmp_path: Path) -> None:
    write(app, template_yaml="apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n")
    done = aks_copilot("fix", app, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert b"template.yaml" in done.stdout
    assert "managed-csi" in (tmp_path / "out/claim.yaml").read_text()


def test_a_bug_in_one_file_is_a_failed_entry_and_no_more(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = local.inspect

    def broken(file: SourceFile, setup: RunSetup) -> object:
        if file.path == "web/service.yaml":
            raise KeyError("text of a Secret")
        return real(file, setup)

    monkeypatch.setattr(local, "inspect", broken)
    code = main.run(["fix", str(app), "--out", str(tmp_path / "out"), "--format", "json"])
    shown = capfd.readouterr()
    entries = {f["path"]: f for f in json.loads(shown.out)["files"]}
    assert code == 1
    assert entries["web/service.yaml"]["status"] == "failed"
    assert entries["web/service.yaml"]["reason"].startswith("internal error: KeyError")
    assert entries["claim.yaml"]["status"] == "patched"
    assert (tmp_path / "out/web/service.yaml").read_text() == SERVICE
    assert "text of a Secret" not in shown.out + shown.err


def test_a_file_over_the_limit_is_refused_and_copied(app: Path, tmp_path: Path) -> None:
    with (app / "big.yaml").open("wb") as big:
        big.truncate(MAX_FILE_BYTES + 1)
    done = aks_copilot("fix", app, "--out", tmp_path / "out", "--format", "json")
    entry = next(f for f in json.loads(done.stdout)["files"] if f["path"] == "big.yaml")
    assert done.returncode == 1
    assert (entry["status"], entry["reason"]) == ("refused", "The file is larger than 20 MB.")
    assert (tmp_path / "out/big.yaml").stat().st_size == MAX_FILE_BYTES + 1


def test_a_closed_pipe_is_no_traceback(app: Path) -> None:
    program = f"{sys.executable} -c 'from shared.cli.main import main; main()'"
    command = f"{program} inspect {app} --format sarif | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"{"
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_help_names_every_command() -> None:
    text = aks_copilot("--help").stdout.decode()
    assert all(name in text for name in ("inspect", "fix", "rules", "profiles", "submit", "watch", "runs", "up"))
    assert aks_copilot().stdout.decode() == text
    assert aks_copilot("rules").stdout.decode().startswith("Usage: aks-copilot rules")
    assert aks_copilot("--version").stdout.decode().startswith("aks-copilot ")
