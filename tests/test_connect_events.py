"""infra/connect-events.sh against an `az` of our own: what it asks, what it deploys, and that the key is in no argument."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from bicep_support import INFRA, templates

KEY = "k3y-of-the-host=="
AZ = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$FAKE/calls"
case "$*" in
  *keys*)
    count=$(wc -l < "$FAKE/calls")
    if [ "$count" -lt "$READY_AT" ]; then echo "not found" >&2; exit 3; fi
    printf '%s\\n' "$KEY" ;;
  *deployment*)
    for word in "$@"; do
      case "$word" in
        @*) cp "${word#@}" "$FAKE/parameters"; stat -c %a "${word#@}" > "$FAKE/mode"; printf '%s\\n' "${word#@}" > "$FAKE/file" ;;
      esac
    done ;;
esac
"""
GIVEN = {
    "AZURE_RESOURCE_GROUP": "rg-dev",
    "FUNCTION_APP_NAME": "func-x",
    "FUNCTION_APP_HOST": "func-x.azurewebsites.net",
    "EVENT_TOPIC_NAME": "egst-x",
    "STORAGE_ACCOUNT_NAME": "stx",
}


def run(tmp_path: Path, *, key: str = KEY, ready_at: int = 1, **env: str) -> subprocess.CompletedProcess[str]:
    az = tmp_path / "az"
    az.write_text(AZ)
    az.chmod(0o755)
    fake = {"FAKE": str(tmp_path), "READY_AT": str(ready_at), "KEY": key, "TRIES": "3", "PAUSE_SECONDS": "0"}
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    return subprocess.run(
        ["bash", str(INFRA / "connect-events.sh")], env=path | fake | GIVEN | env, capture_output=True, text=True, check=False
    )


def test_it_deploys_the_subscriptions_with_the_key_in_a_file(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "new blobs in manifests and knowledge now wake func-x\n")
    given = {name: entry["value"] for name, entry in json.loads((tmp_path / "parameters").read_text())["parameters"].items()}
    assert given == {"topicName": "egst-x", "storageName": "stx", "hostName": "func-x.azurewebsites.net", "blobsExtensionKey": KEY}
    assert set(given) == set(templates()["events.bicep"].parameters)
    assert (tmp_path / "mode").read_text() == "600\n"


def test_the_key_is_in_no_argument_and_stays_nowhere(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert KEY not in (tmp_path / "calls").read_text() + ran.stdout + ran.stderr
    assert not Path((tmp_path / "file").read_text().strip()).exists()


def test_it_waits_until_the_host_has_made_the_key(tmp_path: Path) -> None:
    ran = run(tmp_path, ready_at=3)
    assert ran.returncode == 0
    assert ran.stderr.splitlines() == [f"waiting for the host of func-x ({n} of 3)" for n in (1, 2)]


@pytest.mark.parametrize("key", ["", "None"])
def test_without_a_key_it_says_what_to_look_at(tmp_path: Path, key: str) -> None:
    ran = run(tmp_path, key=key)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "func-x has no system key blobs_extension: is the code deployed, and does /api/health answer?"
    assert not (tmp_path / "parameters").exists()


def test_container_apps_keep_their_keys_elsewhere(tmp_path: Path) -> None:
    ran = run(tmp_path, HOSTING="containerapps")
    assert ran.returncode == 0
    extension, asked, _ = (tmp_path / "calls").read_text().splitlines()
    assert extension.startswith("extension add --name containerapp --upgrade --yes"), "a runner has no terminal on which az could ask"
    assert asked.startswith("containerapp function keys show --resource-group rg-dev --name func-x --key-type systemKey")
    assert "--query value.value " in asked, 'the answer is {"value": {"name": ..., "value": ...}}'


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    ran = run(tmp_path, EVENT_TOPIC_NAME="")
    assert ran.returncode != 0
    assert "EVENT_TOPIC_NAME" in ran.stderr
    assert not (tmp_path / "calls").exists()
