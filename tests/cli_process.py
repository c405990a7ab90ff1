"""The `aks-copilot` command as a process of its own: exit code, standard output and standard error are the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
CLAIM = """\
# The data of the shop
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  storageClassName: local-path  # k3s
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 5Gi}}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


def aks_copilot(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from shared.cli.main import main; main()", *map(str, arguments)]
    env = (
        {k: v for k, v in os.environ.items() if not k.startswith(("STORAGE", "AKS_COPILOT", "LLM_"))}
        | {"PYTHONPATH": str(PROJECT)}
        | environment
    )
    return subprocess.run(command, capture_output=True, cwd=cwd, env=env, timeout=120, check=False)


def write(folder: Path, **files: str) -> Path:
    """Files by name; `__` in a name is a slash, `_yaml` at its end the suffix."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/").removesuffix("_yaml") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder
