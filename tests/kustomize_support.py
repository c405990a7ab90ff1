"""Small repositories of kustomizations: fixed in process, built with kubectl before and after."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from app_support import Done, fix

from shared.domain.decisions import FILE_NAME

REMOTE = "https://github.com/acme/base//deploy?ref=v1"
QUOTED = f"'{REMOTE}'"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
IMAGES = """\
resources: [%s]
images:
  - name: registry.lan:5000/app  # ours
    newTag: "1.2"
  - name: web
    newName: registry.lan:5000/web  # ours
    newTag: v3
  - name: db
    newName: registry.lan:5000/db
"""
needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not on this machine: kustomize builds are not compared"
)


def fixed(files: dict[str, str], source: str = "k3s", decisions: dict[str, Any] | None = None, **options: Any) -> Done:
    """One run; a second one over its output must change nothing."""
    texts = files | ({FILE_NAME: yaml.safe_dump(decisions)} if decisions else {})
    done = fix({path: text.encode() for path, text in texts.items()}, source, **options)
    again = fix(done.after, source, **options)
    assert {p: d for p, d in again.after.items() if done.after.get(p) != d} == {}
    assert [o.path for o in again.outcomes if o.operations] == []
    return done


def text(done: Done, path: str) -> str:
    return done.after[path].decode()


def found(done: Done, path: str) -> list[tuple[str, str, str]]:
    """(rule, pointer, resolution) of the findings of a file."""
    return [(v.rule_id, v.path, v.resolution) for o in done.outcomes if o.path == path for v in o.violations]


def built(files: dict[str, bytes], folder: str, tmp_path: Path, replace: dict[str, str] | None = None) -> dict[tuple[str, str], Any]:
    """The objects that kubectl builds from a folder, by kind and name; `replace` exchanges texts of the kustomizations first."""
    root = tmp_path / str(len(list(tmp_path.iterdir())))
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        content = data.decode()
        for old, new in (replace or {}).items() if "kustomization" in path.lower() else ():
            content = content.replace(old, new)
        (root / path).write_text(content)
    done = subprocess.run(["kubectl", "kustomize", root / folder], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(done.stdout) if o}
