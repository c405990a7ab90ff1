"""The action for GitHub workflows: its shell steps run here as the runner runs them; workflows, hook and image are held by their text.

Not tried: GitHub's own runner, the steps that `use` other actions, a build of the image.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from action_support import ROOT, Ran, command_in, load, run
from cli_process import CLAIM, SERVICE, aks_copilot, write

COMMAND = re.compile(r"^::(error|warning|notice) file=([^,:]+),line=(\d+),col=(\d+),title=(AKS\d{4})::", re.MULTILINE)
WORKFLOWS = [*sorted((ROOT / ".github/workflows").glob("*.yml")), *sorted((ROOT / "docs/workflows").glob("*.yml"))]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command of this checkout, as the install step would leave it."""
    return command_in(tmp_path_factory.mktemp("bin"))


def inspected(tool: str, tmp_path: Path, workspace: Path, **given: str) -> Ran:
    inputs = {name.replace("_", "-"): value for name, value in given.items()}
    return run(load(), tmp_path, workspace, inputs, skip=("Install aks-copilot",), AKS_COPILOT=tool)


def test_a_sample_is_annotated_at_its_lines_and_fails_the_step(tool: str, tmp_path: Path) -> None:
    ran = inspected(tool, tmp_path, ROOT, path="samples/k3s-shop")

    assert ran.code == 1
    outputs = ran.outputs["inspect"]
    report = json.loads((Path(outputs["report-dir"]) / "report.json").read_text())
    counts = report["summary"]
    assert [outputs[n] for n in ("files", "findings", "fixable", "needs-human")] == [
        str(counts[n]) for n in ("files", "violations", "fixed", "needsHuman")
    ]
    places = COMMAND.findall(ran.log)
    assert len(places) > 5
    for _, path, line, column, rule in places:
        text = (ROOT / path).read_text().splitlines()[int(line) - 1]
        assert len(text) >= int(column) - 1, f"{rule} at {path}:{line}"
    assert ("error", "samples/k3s-shop/10-postgres.yaml", "9", "3", "AKS0101") in places
    assert "::group::What aks-copilot fix would change" in ran.log
    assert "+  storageClassName: managed-csi" in ran.log
    assert "AKS0101" in ran.summary
    assert {"report.html", "report.json", "changes.diff", "cutover.md"} <= {p.name for p in Path(outputs["report-dir"]).iterdir()}
    sarif = json.loads(Path(outputs["sarif-file"]).read_text())
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in sarif["runs"][0]["results"]}
    assert uris
    assert all((ROOT / uri).is_file() for uri in uris)


def test_a_folder_with_nothing_to_say_passes(tool: str, tmp_path: Path) -> None:
    app = write(tmp_path / "work", deploy__web_yaml=SERVICE)

    ran = inspected(tool, tmp_path, app, path="deploy")

    assert (ran.code, ran.outputs["inspect"]["exit-code"]) == (0, "0")
    assert COMMAND.findall(ran.log) == []


def test_what_fix_mends_may_be_allowed_and_warnings_may_count(tool: str, tmp_path: Path) -> None:
    app = write(tmp_path / "work", deploy__claim_yaml=CLAIM)
    answers = []
    for number, given in enumerate(({}, {"allow_fixable": "true"}, {"allow_fixable": "true", "source": "k3s", "fail_on": "info"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        answers.append(inspected(tool, folder, app, path="deploy", **given).code)
    left = aks_copilot("fix", app / "deploy", "--diff", "--source", "k3s", "--fail-on", "info").returncode

    assert answers == [1, 0, left]


def test_a_baseline_quiets_check_and_code_scanning(tool: str, tmp_path: Path) -> None:
    app = write(tmp_path / "work", deploy__claim_yaml=CLAIM)
    entry = "{rule: AKS0101, file: claim.yaml, by: ada, date: 2026-11-01, reason: the class is made by hand}"
    (app / "accepted.yaml").write_text(f"version: 1\naccepted:\n  - {entry}\n")

    ran = inspected(tool, tmp_path, app, path="deploy", baseline="accepted.yaml")

    assert (ran.code, COMMAND.findall(ran.log)) == (0, [])
    sarif = json.loads(Path(ran.outputs["inspect"]["sarif-file"]).read_text())
    assert sarif["runs"][0]["results"] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": "missing"}, "missing: no such file or folder"),
        ({"fail_on": "fatal"}, "'fatal' is not one of"),
        ({"path": "--help"}, "--help: no such file or folder"),
        ({"baseline": "none.yaml"}, "none.yaml: no such file"),
        ({"target": "$(touch pwned)"}, "$(touch pwned): No such file"),
    ],
)
def test_inputs_that_cannot_be_used_are_one_line_and_never_run(tool: str, tmp_path: Path, given: dict[str, str], said: str) -> None:
    app = write(tmp_path / "work", web_yaml=SERVICE)

    ran = inspected(tool, tmp_path, app, **given)

    assert ran.code == 2
    assert said in ran.log
    assert "Traceback" not in ran.log
    assert not (app / "pwned").exists()


def test_a_manifest_cannot_give_the_runner_commands(tool: str, tmp_path: Path) -> None:
    noted = CLAIM.replace("spec:", "  annotations:\n    note: |\n      ::warning::gotcha\nspec:")
    named = CLAIM.replace("storageClassName: local-path", 'storageClassName: "local-path\\n::error::gotcha"')
    app = write(tmp_path / "work", noted_yaml=noted, named_yaml=named)

    ran = inspected(tool, tmp_path, app)

    stopped = re.search(r"^::stop-commands::([0-9a-f]{32})$", ran.log, re.MULTILINE)
    assert stopped is not None
    inside = ran.log.split(stopped[0])[1].split(f"::{stopped[1]}::")[0]
    outside = ran.log.replace(inside, "")
    assert "::warning::gotcha" in inside
    commands = [line for line in outside.splitlines() if line.lstrip().startswith("::")]
    own = (f"::{stopped[1]}::", "::group::", "::endgroup::", "::stop-commands::")
    assert [c for c in commands if not COMMAND.match(c) and not c.startswith(own)] == []
    assert "local-path ::error::gotcha does not exist" in outside


def test_a_long_report_is_cut_in_the_summary(tool: str, tmp_path: Path) -> None:
    app = write(tmp_path / "work", **{f"claim{n}_yaml": CLAIM.replace("name: data", f"name: d{n}") for n in range(3)})
    script = (ROOT / "ci/inspect.sh").read_text().replace("summary_bytes=900000", "summary_bytes=500")
    copy = tmp_path / "copy" / "ci"
    copy.mkdir(parents=True)
    (copy / "inspect.sh").write_text(script)

    ran = run(load(), tmp_path, app, {}, skip=("Install aks-copilot",), AKS_COPILOT=tool, ACTION_PATH=str(copy.parent))

    assert len(ran.summary) < 600
    assert ran.summary.endswith("The report is longer; the file report.md has all of it.\n")


def test_paths_are_those_of_the_checkout_only_where_the_folder_lies_in_it(tmp_path: Path) -> None:
    app = write(tmp_path / "repo", deploy__claim_yaml=CLAIM)
    inside = aks_copilot("inspect", app / "deploy", "--format", "github", GITHUB_WORKSPACE=str(app)).stdout.decode()
    outside = aks_copilot("inspect", app / "deploy", "--format", "github", "--root", tmp_path / "other").stdout.decode()

    assert inside.startswith("::error file=deploy/claim.yaml,line=7")
    assert outside.startswith("::error file=claim.yaml,line=7")


def test_a_baseline_of_its_own_is_for_looking_only(tmp_path: Path) -> None:
    app = write(tmp_path / "app", claim_yaml=CLAIM)
    done = aks_copilot("fix", app, "--in-place", "--baseline", app / "claim.yaml")

    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert (app / "claim.yaml").read_text() == CLAIM


def uses_of(document: Any) -> list[str]:
    if isinstance(document, dict):
        here = [document["uses"]] if isinstance(document.get("uses"), str) else []
        return here + [found for value in document.values() for found in uses_of(value)]
    return [found for value in document for found in uses_of(value)] if isinstance(document, list) else []


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda p: p.name)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(file: Path) -> None:
    text = file.read_text()
    for used in uses_of(yaml.safe_load(text)):
        if not used.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used
            assert re.search(rf"{re.escape(used)} # \S", text), f"{used} says no version"


def test_all_workflows_pin_the_same_commit_of_an_action() -> None:
    pinned: dict[str, set[str]] = {}
    for file in (ROOT / "action.yml", *WORKFLOWS):
        for used in uses_of(yaml.safe_load(file.read_text())):
            pinned.setdefault(used.partition("@")[0], set()).add(used)
    assert [action for action, commits in pinned.items() if len(commits) > 1] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda p: p.name)
def test_workflows_ask_for_no_permission_but_in_the_job_that_needs_it(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    assert "concurrency" in workflow
    for job in workflow["jobs"].values():
        assert "permissions" in job
        if "uses" in job:  # another workflow of ours, whose own jobs say the rest
            assert (ROOT / job["uses"]).is_file()
            continue
        assert "timeout-minutes" in job
        assert all(s.get("with", {}).get("persist-credentials") is False for s in job["steps"] if "actions/checkout" in s.get("uses", ""))


def test_workflows_and_actions_are_linted_by_make_check() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "tools/lint_workflows.mjs" in makefile
    assert "zizmor" in makefile


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ foo.bar }}\n")
    done = subprocess.run(["node", str(ROOT / "tools/lint_workflows.mjs"), str(bad)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert 'undefined variable "foo"' in done.stdout


def test_the_pre_commit_hook_calls_the_command_as_it_is(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    app = write(tmp_path / "app", claim_yaml=CLAIM)
    name, *arguments = [*hook["entry"].split(), *hook["args"]]

    assert name == "aks-copilot"
    assert hook["pass_filenames"] is False
    assert aks_copilot(*arguments, cwd=app).returncode == 1
    assert re.search(hook["files"], "deploy/app.yaml")
    assert not re.search(hook["files"], "main.go")


def test_the_image_runs_as_nobody_in_particular_and_copies_what_there_is() -> None:
    lines = [line.split() for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    bases = [line[1] for line in lines if line[0] == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", bases[0])
    users = [line[1] for line in lines if line[0] == "USER"]
    assert users[-1].split(":")[0].isdigit()
    assert users[-1].split(":")[0] != "0"
    copied = [source for line in lines if line[0] == "COPY" and not line[1].startswith("--") for source in line[1:-1]]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert all(f"!{source}" in sent for source in copied)
