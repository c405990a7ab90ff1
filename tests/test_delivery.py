"""The scripts that deploy (ci/): package, deployment, smoke test, going back. Azure, cosign and GitHub are fakes.

The smoke test runs against the development host, which serves the very package that would be deployed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from action_support import ROOT, command_in
from azurite_support import started
from fake_commands import Commands
from funchost_harness import Served
from http_support import Handler, Server

from funchost.azurite import Azurite
from functions.headers import SECURITY

NEW, OLD = "a" * 40, "b" * 40
KEY = "not-a-real-key-0123456789"
DIGEST = "sha256:" + "c" * 64


@pytest.fixture(scope="module")
def head() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def package(head: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("package") / "app.zip"
    subprocess.run(["bash", "ci/package.sh", head, str(file)], cwd=ROOT, capture_output=True, text=True, check=True)
    return file


@pytest.fixture
def azurite() -> Iterator[Azurite]:
    """One of its own: the real app would see the uploads and messages of other tests."""
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command line of this checkout."""
    return command_in(tmp_path_factory.mktemp("bin"))


def test_a_package_is_the_same_bytes_every_time_and_holds_what_is_deployed(package: Path, head: str, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    ran = Commands(tmp_path / "bin").run(ROOT / "ci/package.sh", head, str(again), TZ="Asia/Tokyo")

    assert again.read_bytes() == package.read_bytes()
    assert hashlib.sha256(again.read_bytes()).hexdigest() in ran.stdout
    with zipfile.ZipFile(package) as made:
        names = set(made.namelist())
        assert made.read("revision").decode() == head
        assert b"--hash=sha256:" in made.read("requirements.txt")
    assert {"host.json", "function_app.py", "functions/runs_api.py", "shared/rules/"} <= names
    assert not any(name.startswith(("shared/cli", "tests", "funchost", "infra")) for name in names)


def test_a_package_of_no_commit_is_refused(tmp_path: Path) -> None:
    ran = Commands(tmp_path / "bin").run(ROOT / "ci/package.sh", "no-such-branch", str(tmp_path / "a.zip"))
    assert (ran.returncode, ran.stderr) == (2, "package: no-such-branch is no commit of this repository\n")


def test_a_sample_goes_through_the_package_on_the_host(package: Path, head: str, command: str, azurite: Azurite, tmp_path: Path) -> None:
    app = tmp_path / "app"
    with zipfile.ZipFile(package) as made:
        made.extractall(app)
    settings = {"FUNCHOST_HOST_KEY": KEY, "FUNCHOST_MASTER_KEY": "m" * 20, "FUNCHOST_SYSTEM_KEY": "s" * 20}
    host = Served(azurite.connection_string, tmp_path, app, PYTHON_SCRIPT_FILE_NAME="function_app.py", SWEEP_AFTER_SECONDS="0", **settings)
    host.arguments += ["--enable-auth"]
    host.started_in = app
    with host:
        given = {"APP_URL": f"http://127.0.0.1:{host.port}", "AKS_COPILOT_KEY": KEY, "AKS_COPILOT": command, "SMOKE_SECONDS": "150"}
        ran = Commands(tmp_path / "bin").run(ROOT / "ci/smoke.sh", EXPECTED_REVISION=head, **given)
        with urllib.request.urlopen(f"{given['APP_URL']}/api/health") as answer:
            headers = answer.headers
        other = Commands(tmp_path / "other").run(ROOT / "ci/smoke.sh", EXPECTED_REVISION=OLD, **given | {"SMOKE_SECONDS": "1"})

    assert ran.returncode == 0, ran.stderr + host.text()
    assert ran.stdout.splitlines()[-1].endswith(f"revision {head}")
    assert {name: headers[name] for name in SECURITY} == SECURITY
    assert other.returncode == 1
    assert f"/api/runs answered by {OLD}; it is {head}" in other.stderr
    assert KEY not in ran.stdout + ran.stderr + other.stderr


class Open(Handler):
    """An app that asks nobody for a key, and is well only where its address says so."""

    def do_GET(self) -> None:
        self.send_response(200 if "/well/" in self.path else 503)
        self.end_headers()
        self.wfile.write(b'{"storage": "no answer"}')


@pytest.mark.parametrize(
    ("kind", "said"), [("ill", 'not well within 0 s: {"storage": "no answer"}'), ("well", "without a key answers 200, not 401")]
)
def test_the_smoke_test_says_what_is_wrong(kind: str, said: str, tmp_path: Path) -> None:
    with Server(Open) as server:
        url = f"http://127.0.0.1:{server.port}/{kind}"
        ran = Commands(tmp_path / "bin").run(ROOT / "ci/smoke.sh", APP_URL=url, AKS_COPILOT_KEY=KEY, SMOKE_SECONDS="0")
    assert ran.returncode == 1
    assert said in ran.stderr


class Installation:
    """ci/ with a smoke test and a package that answer what the test says: the commits in `good` work."""

    def __init__(self, folder: Path, *good: str, hosting: str = "flex") -> None:
        self.ci = folder / "ci"
        self.ci.mkdir()
        shutil.copy(ROOT / "ci/deploy.sh", self.ci)
        judged = f'case "$EXPECTED_REVISION" in {"|".join(good) or "-"}) ;; *) exit 1 ;; esac'
        (self.ci / "smoke.sh").write_text(f'echo "$EXPECTED_REVISION $APP_URL" >>{folder}/tried\n{judged}\n')
        (self.ci / "package.sh").write_text('[ "$1" != missing ] && echo "$1" >"$2"\n')
        self.commands = Commands(folder / "bin", "az", "cosign", "curl")
        self.commands.answer("keys", KEY + "\n")
        self.tried = folder / "tried"
        self.hosting = hosting

    def deploy(self, commit: str = NEW, previous: str = OLD, **environment: str) -> subprocess.CompletedProcess[str]:
        given = {"HOSTING": self.hosting, "COMMIT": commit, "PREVIOUS": previous, "AZURE_RESOURCE_GROUP": "rg", "FUNCTION_APP_NAME": "func"}
        more = {
            "FUNCTION_APP_URL": "https://func.example",
            "REGISTRY": "acr.azurecr.io",
            "GITHUB_WORKFLOW_REF": "acme/aks-copilot/deliver.yml@refs/heads/main",
            "KEY_TRIES": "2",
            "KEY_PAUSE_SECONDS": "0",
        }
        return self.commands.run(self.ci / "deploy.sh", **given, **more, **environment)

    def brought(self) -> list[str]:
        """What was brought to the app, in order."""
        calls = self.commands.calls("deployment source config-zip") or self.commands.calls("containerapp update")
        return [NEW if NEW in call or "c" * 64 in call else OLD for call in calls]


def test_a_commit_that_works_stays(tmp_path: Path) -> None:
    installed = Installation(tmp_path, NEW, OLD)
    ran = installed.deploy()
    assert ran.returncode == 0, ran.stderr
    assert installed.brought() == [NEW]
    assert installed.tried.read_text() == f"{NEW} https://func.example\n"
    (call,) = installed.commands.calls("config-zip")
    assert "--build-remote true" in call
    assert f"::add-mask::{KEY}" in ran.stdout


def test_where_callers_sign_in_the_smoke_test_does_so_too(tmp_path: Path) -> None:
    installed = Installation(tmp_path, NEW)
    installed.commands.answer("az account get-access-token --resource api-of-ours", "not-a-real-token\n")
    (installed.ci / "smoke.sh").write_text(f'echo "$AKS_COPILOT_TOKEN" >>{tmp_path}/tried\n')
    ran = installed.deploy(AUDIENCE="api-of-ours")
    assert (ran.returncode, installed.tried.read_text()) == (0, "not-a-real-token\n")
    assert "::add-mask::not-a-real-token" in ran.stdout


@pytest.mark.parametrize("hosting", ["flex", "containerapps"])
def test_a_commit_that_does_not_work_goes_and_the_one_before_is_tried_too(tmp_path: Path, hosting: str) -> None:
    installed = Installation(tmp_path, OLD, hosting=hosting)
    installed.commands.answer(f"acr repository show {NEW}", DIGEST + "\n")
    installed.commands.answer(f"acr repository show {OLD}", "sha256:" + "d" * 64 + "\n")
    ran = installed.deploy()
    assert ran.returncode == 1
    assert installed.brought() == [NEW, OLD]
    assert all("--query value.value " in call for call in installed.commands.calls("containerapp function keys show"))
    assert [line.split()[0] for line in installed.tried.read_text().splitlines()] == [NEW, OLD]
    assert f"::error::{NEW} did not work; func is back at {OLD}" in ran.stdout


def test_a_deployment_that_azure_refuses_is_gone_back_from_as_well(tmp_path: Path) -> None:
    installed = Installation(tmp_path, NEW, OLD)
    installed.commands.answer(f"config-zip {NEW}", code=1, err="ERROR: the build failed\n")
    ran = installed.deploy()
    assert ran.returncode == 1
    assert installed.brought() == [NEW, OLD]
    assert "ERROR: the build failed" in ran.stderr


@pytest.mark.parametrize(
    ("previous", "said"), [("", "no commit to go back to"), (NEW, "no commit to go back to"), (OLD, f"{OLD} no longer does")]
)
def test_where_nothing_works_a_person_is_called(tmp_path: Path, previous: str, said: str) -> None:
    ran = Installation(tmp_path).deploy(previous=previous)
    assert ran.returncode == 3
    assert said in ran.stdout


def test_what_cannot_be_packaged_changes_nothing(tmp_path: Path) -> None:
    for number, (commit, previous) in enumerate((("missing", OLD), (NEW, "missing"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        installed = Installation(folder, NEW, OLD)
        assert installed.deploy(commit, previous).returncode == 2
        assert installed.commands.calls("az") == []


def test_an_image_that_this_repository_did_not_sign_is_not_deployed(tmp_path: Path) -> None:
    installed = Installation(tmp_path, NEW, OLD, hosting="containerapps")
    installed.commands.answer("acr repository show", DIGEST + "\n")
    installed.commands.answer("cosign verify", code=1, err="Error: no matching signatures\n")
    ran = installed.deploy()
    assert (ran.returncode, installed.brought()) == (2, [])
    (asked,) = installed.commands.calls("cosign verify")
    calls = installed.commands.calls()
    assert calls.index("az acr login --name acr") < calls.index(asked), "a registry shows its signatures to nobody unknown"
    who = "https://github.com/acme/aks-copilot/deliver.yml@refs/heads/main"
    assert asked.endswith(f"--certificate-identity {who} acr.azurecr.io/aks-copilot-functions@{DIGEST}")
    assert "no matching signatures" in ran.stderr


def test_a_key_that_never_comes_is_a_failed_deployment(tmp_path: Path) -> None:
    installed = Installation(tmp_path, NEW, OLD)
    (installed.commands.folder / "answers.json").write_text('[{"call": "keys", "code": 1, "err": "ERROR: host runtime is down\\n"}]')
    ran = installed.deploy(previous="")
    assert ran.returncode == 3
    assert "the key of the function runs cannot be read: ERROR: host runtime is down" in ran.stderr
    assert not installed.tried.exists()


def test_the_commit_to_go_back_to_is_the_last_success_that_is_still_there(head: str, tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "gh")
    commands.answer("gh api statuses deployments/9/", "failure\n")
    commands.answer("gh api statuses", "success\n")
    commands.answer("gh api environment=production", f"9 {NEW}\n8 {OLD}\n7 {head}\n6 {NEW}\n")
    given = {"GITHUB_REPOSITORY": "acme/aks-copilot", "GH_TOKEN": "t"}
    assert commands.run(ROOT / "ci/previous.sh", "production", **given).stdout == f"{head}\n", "no history has the commit of 8"
    assert len(commands.calls("statuses")) == 3

    nothing = Commands(tmp_path / "nothing", "gh").run(ROOT / "ci/previous.sh", "production", **given)
    assert (nothing.returncode, nothing.stdout) == (0, "")
