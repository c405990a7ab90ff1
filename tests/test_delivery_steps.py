"""The scripts around a deployment (ci/): settings, what-if, image, release; and that the workflows keep no credentials."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from action_support import ROOT
from fake_commands import Commands
from release_notes import NoReleaseError, notes

NEW = "a" * 40
DIGEST = "sha256:" + "c" * 64
ID = "0f0e0d0c-0000-4000-8000-000000000001"
WORKFLOWS = {name: yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text()) for name in ("ci", "deliver", "deploy", "release")}
INFRA = {"ENVIRONMENT": "staging", "AZURE_LOCATION": "westeurope", "PARAMETERS": "dev.parameters.json"}


def test_infrastructure_is_shown_first_and_its_outputs_go_to_the_steps_after(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "az")
    commands.answer("deployment sub what-if", "+ Microsoft.Web/sites/func\n")
    commands.answer("deployment sub create", json.dumps({"functioN_APP_NAME": {"type": "String", "value": "func"}}))
    summary, outputs = tmp_path / "summary", tmp_path / "outputs"

    commands.run(ROOT / "ci/infra.sh", "what-if", HOSTING="flex", GITHUB_STEP_SUMMARY=str(summary), **INFRA)
    made = commands.run(ROOT / "ci/infra.sh", "create", HOSTING="flex", GITHUB_OUTPUT=str(outputs), **INFRA)

    assert made.returncode == 0, made.stderr
    assert "+ Microsoft.Web/sites/func" in summary.read_text()
    assert outputs.read_text() == "FUNCTION_APP_NAME=func\n", "Azure writes the first letters of an output's name small"
    parameters = "--parameters infra/dev.parameters.json environmentName=staging location=westeurope hosting=flex"
    assert all(parameters in call for call in commands.calls("deployment"))
    assert commands.calls("what-if")[0].endswith("--validation-level ProviderNoRbac"), "the identity that shows it may only read"


def test_infrastructure_keeps_the_image_that_runs(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "az")
    commands.answer("group exists", "true\n")
    commands.answer("containerapp list", f"acr.azurecr.io/aks-copilot-functions@{DIGEST}\n", times=1)
    commands.answer("containerapp list", code=1, err="ERROR: try again later\n")
    commands.answer("deployment sub create", "{}")
    first = commands.run(ROOT / "ci/infra.sh", "create", HOSTING="containerapps", **INFRA)
    second = commands.run(ROOT / "ci/infra.sh", "create", HOSTING="containerapps", **INFRA)

    assert (first.returncode, second.returncode) == (0, 1), second.stderr
    (call,) = commands.calls("deployment")
    assert f"containerImage=acr.azurecr.io/aks-copilot-functions@{DIGEST}" in call


def test_an_image_is_pushed_as_it_was_scanned_and_signed_by_digest(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "docker", "cosign", "az")
    commands.answer("docker imagetools inspect azure-functions", json.dumps({"digest": DIGEST}))
    commands.answer("docker --push", metadata_file=json.dumps({"containerimage.digest": DIGEST}))
    commands.answer("docker SBOM", '{"spdxVersion": "SPDX-2.3"}\n')
    outputs, sbom = tmp_path / "outputs", tmp_path / "sbom.json"

    built = commands.run(ROOT / "ci/image.sh", "build", COMMIT=NEW, GITHUB_OUTPUT=str(outputs))
    base = dict(line.split("=", 1) for line in outputs.read_text().splitlines())["base"]
    given = {"REGISTRIES": "one.azurecr.io two.azurecr.io", "BASE": base, "SBOM": str(sbom), "GITHUB_OUTPUT": str(outputs)}
    pushed = commands.run(ROOT / "ci/image.sh", "push", COMMIT=NEW, **given)

    assert (built.returncode, pushed.returncode) == (0, 0), built.stderr + pushed.stderr
    assert base == f"mcr.microsoft.com/azure-functions/python:4-python3.12@{DIGEST}"
    builds = commands.calls("docker buildx build")
    assert len(builds) == 2
    assert all(f"--build-arg BASE={base}" in call and f"REVISION={NEW}" in call for call in builds)
    assert "--sbom=true --provenance=mode=max" in builds[1]
    assert commands.calls("cosign") == [f"cosign sign --yes {r}.azurecr.io/aks-copilot-functions@{DIGEST}" for r in ("one", "two")]
    assert json.loads(sbom.read_text())["spdxVersion"] == "SPDX-2.3"
    assert f"digest={DIGEST}" in outputs.read_text()


def test_a_base_without_a_digest_is_not_built_on(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "docker")
    commands.answer("docker imagetools inspect", "{}")
    assert commands.run(ROOT / "ci/image.sh", "build", COMMIT=NEW).returncode != 0
    assert commands.calls("buildx build") == []


DELIVERY: dict[str, Any] = {
    "hosting": "containerapps",
    "tenantId": ID,
    "subscriptionId": ID,
    "clientIds": {"staging": ID},
    "audiences": {},
    "location": "westeurope",
    "parameters": {"staging": "dev.parameters.json"},
    "registries": ["one.azurecr.io", "two.azurecr.io"],
}


def settings(folder: Path, environment: str = "staging", **changes: Any) -> tuple[int, str, str]:
    (folder / "delivery.json").write_text(json.dumps(DELIVERY | changes))
    ran = Commands(folder / "bin").run(ROOT / "ci/settings.sh", environment, DELIVERY=str(folder / "delivery.json"))
    return ran.returncode, ran.stdout, ran.stderr


def test_settings_of_an_environment_become_outputs(tmp_path: Path) -> None:
    code, out, _ = settings(tmp_path)
    assert code == 0
    assert dict(line.split("=", 1) for line in out.splitlines()) == {
        "hosting": "containerapps", "tenant": ID, "subscription": ID, "client": ID, "audience": "", "location": "westeurope",
        "parameters": "dev.parameters.json", "registries": "one.azurecr.io two.azurecr.io",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hosting": "aks"}, 'hosting cannot be "aks"'),
        ({"tenantId": ""}, 'tenantId cannot be ""'),
        ({"clientIds": {}}, "clientIds.staging cannot be null"),
        ({"parameters": {"staging": "../../etc/passwd"}}, "parameters.staging cannot be"),
        ({"registries": ["one.azurecr.io\nhosting=flex"]}, "registries cannot be"),
    ],
)
def test_settings_that_cannot_be_used_are_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    code, _, errors = settings(tmp_path, **changes)
    assert code != 0
    assert said in errors


def test_the_settings_of_this_repository_deliver_nothing() -> None:
    ours = json.loads((ROOT / ".github/delivery.json").read_text())
    assert ours["hosting"] == ""
    assert set(ours) == set(DELIVERY)
    used = {job["environment"] for name in ("deliver", "deploy") for job in WORKFLOWS[name]["jobs"].values() if "environment" in job}
    called = {job["with"]["environment"] for job in WORKFLOWS["deliver"]["jobs"].values() if "with" in job}
    assert set(ours["clientIds"]) == {name for name in used if "${{" not in name} | called
    assert all((ROOT / "infra" / name).is_file() for name in ours["parameters"].values())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_of_delivery_keep_no_credentials(name: str) -> None:
    text = (ROOT / f".github/workflows/{name}.yml").read_text()
    assert re.findall(r"secrets\.\w+|secrets: inherit|creds:|client-secret|password", text) == []
    for job in WORKFLOWS[name]["jobs"].values():
        logs_in = any("azure/login" in step.get("uses", "") for step in job.get("steps", []))
        assert not logs_in or (job["permissions"]["id-token"] == "write" and "environment" in job)


def test_every_script_of_a_workflow_is_there_and_may_run() -> None:
    steps = [step.get("run", "") for flow in WORKFLOWS.values() for job in flow["jobs"].values() for step in job.get("steps", [])]
    scripts = {found for run in steps for found in re.findall(r"\b(?:ci|infra)/[\w-]+\.sh\b", run)}
    assert {"ci/deploy.sh", "ci/image.sh", "infra/connect-events.sh"} <= scripts
    assert [name for name in scripts if not os.access(ROOT / name, os.X_OK)] == []


def test_nothing_reaches_production_but_through_staging() -> None:
    jobs = WORKFLOWS["deliver"]["jobs"]
    assert (jobs["production"]["needs"], jobs["plan"]["needs"]) == ("plan", "staging")
    assert set(jobs["staging"]["needs"]) == {"ci", "settings", "image"}
    assert "needs.staging.result == 'success'" in jobs["plan"]["if"]
    steps = [step.get("run", step.get("uses", "")) for step in jobs["image"]["steps"]]
    order = [
        next(n for n, step in enumerate(steps) if word in step)
        for word in ("image.sh build", "trivy-action", "azure/login", "image.sh push")
    ]
    assert order == sorted(order), "nothing is pushed that was not scanned"


CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n- Next.\n\n## 1.2.0 - 2026-11-23\n\n### Added\n\n- A rule.\n\n## 1.1.0 - 2026-10-01\n\n### Added\n"
)
PACKAGE = '__version__ = "1.2.0"\n'


def test_the_notes_of_a_release_are_the_section_of_its_version() -> None:
    assert notes(CHANGELOG, PACKAGE, "v1.2.0") == "### Added\n\n- A rule."


@pytest.mark.parametrize(
    ("package", "tag", "said"),
    [
        (PACKAGE, "v1.3.0", "shared/__init__.py does not say version 1.3.0"),
        ('__version__ = "1.0.0"\n', "v1.0.0", "no section '## 1.0.0 - YYYY-MM-DD'"),
        ('__version__ = "1.1.0"\n', "v1.1.0", "names no change"),
    ],
)
def test_a_release_without_notes_of_its_own_is_none(package: str, tag: str, said: str) -> None:
    with pytest.raises(NoReleaseError, match=re.escape(said)):
        notes(CHANGELOG, package, tag)


def test_a_tag_that_is_not_on_main_is_not_released(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "git", "gh", "cosign", "python")
    commands.answer("git merge-base", code=1)
    ran = commands.run(ROOT / "ci/release.sh", TAG="v9.9.9")
    assert (ran.returncode, ran.stderr) == (1, "v9.9.9 is not on main\n")
    assert commands.calls("gh") == []


def test_a_release_holds_the_package_its_sum_and_its_signature(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "bin", "gh", "cosign", "python")
    commands.answer("python tools/release_notes.py", "- A rule.\n")
    ran = commands.run(ROOT / "ci/release.sh", TAG="HEAD", MAIN="HEAD")
    assert ran.returncode == 0, ran.stderr
    (made,) = commands.calls("gh release create HEAD --verify-tag")
    assert [Path(word).name for word in made.split()[-3:]] == [
        f"aks-copilot-functions-HEAD.zip{end}" for end in ("", ".sha256", ".sigstore.json")
    ]
    assert commands.calls("cosign sign-blob --yes --bundle")
