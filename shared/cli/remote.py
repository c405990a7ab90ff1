"""Where runs are carried out: a storage account that a function app watches, or the app's own HTTP API.

Storage comes from `STORAGE` (or `STORAGE__...`) in the environment or local.settings.json; the API from `--url` or `AKS_COPILOT_URL`,
its function key from `AKS_COPILOT_KEY` and, where callers sign in too, a token of Entra ID from `AKS_COPILOT_TOKEN` (never from the command
line, where others can read it).
"""

from __future__ import annotations

import io
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path
from typing import Any, Protocol

from funchost.errors import ConfigurationError
from funchost.settings import load_local_settings
from shared.cli.tree import Tree
from shared.domain.errors import AksCopilotError, TransientError, ValidationError
from shared.services import Services, build_services
from shared.settings import load_settings

PROJECT = Path(__file__).parents[2]
LOCAL_SETTINGS = "local.settings.json"
KEY = "AKS_COPILOT_KEY"
TOKEN = "AKS_COPILOT_TOKEN"  # noqa: S105 - the variable's name
_TIMEOUT_SECONDS = 30


class Remote(Protocol):
    """What the commands need of either."""

    def submit(self, tree: Tree, app: str) -> str:
        """Start a run; gives its runId."""

    def status(self, run: str) -> dict[str, Any] | None:
        """Where a run stands (shared.pipeline.status.run_status), or None where it is not known."""

    def runs(self) -> list[dict[str, Any]]:
        """The newest runs first."""


def connect(url: str | None) -> Remote:
    """The API where an address is given, else storage. Raises AksCopilotError where neither can be used."""
    return Api(url) if url else Storage(build_services(load_settings(environment())))


def environment() -> dict[str, str]:
    """The process's environment, completed from local.settings.json here or in the project. Raises ValidationError."""
    found = dict(os.environ)
    for folder in (Path.cwd(), PROJECT):
        try:
            load_local_settings(folder / LOCAL_SETTINGS, found, required=False)
        except ConfigurationError as error:
            raise ValidationError(str(error)) from error
    return found


class Storage:
    """Files into `manifests/<app>/`, then `.ready`; progress is read from the names in `runs`."""

    def __init__(self, services: Services) -> None:
        self.context = services.context

    def submit(self, tree: Tree, app: str) -> str:
        from shared.pipeline import names, sources  # noqa: PLC0415 (the pipeline is loaded where it is used)

        prefix = f"{app}/"
        wanted = {prefix + name: path for name, path in tree.paths.items()}
        for blob in list(self.context.blobs.list(names.MANIFESTS, prefix)):
            if blob.name not in wanted:
                self.context.blobs.delete(names.MANIFESTS, blob.name)
        for name, path in wanted.items():
            self.context.blobs.write(names.MANIFESTS, name, path.read_bytes())
        run = sources.folder(self.context, app).run_id
        self.context.blobs.write(names.MANIFESTS, prefix + names.READY, b"")
        return run

    def status(self, run: str) -> dict[str, Any] | None:
        from shared.pipeline.status import run_status  # noqa: PLC0415

        return run_status(self.context, run)

    def runs(self) -> list[dict[str, Any]]:
        from shared.pipeline.status import list_runs  # noqa: PLC0415

        return list_runs(self.context)


class Api:
    """POST /api/runs and GET /api/runs... of a deployed function app, or of a local one."""

    def __init__(self, url: str) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValidationError("--url must start with https:// (or http:// for a local app)")
        self.base = url.rstrip("/").removesuffix("/api/runs")

    def submit(self, tree: Tree, app: str) -> str:
        answer = self._call(f"/api/runs?app={urllib.parse.quote(app)}", zipped(tree), "application/zip")
        return str(answer["runId"])

    def status(self, run: str) -> dict[str, Any] | None:
        try:
            return self._call(f"/api/runs/{urllib.parse.quote(run, safe='')}")
        except NotFoundError:
            return None

    def runs(self) -> list[dict[str, Any]]:
        return list(self._call("/api/runs")["runs"])

    def _call(self, path: str, body: bytes | None = None, media: str | None = None) -> dict[str, Any]:
        headers = _credentials()
        request = urllib.request.Request(self.base + path, body, headers | ({"Content-Type": media} if media else {}))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (http and https only, see __init__)
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise _refused(error) from error
        except urllib.error.URLError as error:
            raise TransientError(f"{self.base}: {error.reason}") from error
        except (ValueError, TypeError, OSError) as error:
            raise ValidationError(f"{self.base}: the answer is not one of aks-copilot") from error


def _credentials() -> dict[str, str]:
    key, token = os.environ.get(KEY), os.environ.get(TOKEN)
    return ({"x-functions-key": key} if key else {}) | ({"Authorization": f"Bearer {token}"} if token else {})


class NotFoundError(AksCopilotError):
    """The API does not know the run."""


def _refused(error: urllib.error.HTTPError) -> AksCopilotError:
    if error.code == 404:
        return NotFoundError("no such run")
    if error.code in (401, 403):
        return ValidationError(f"the API wants a function key: set {KEY} (and {TOKEN} where callers sign in)")
    try:
        said = json.load(error)["error"]
    except (ValueError, KeyError, TypeError):
        said = error.reason
    return ValidationError(f"the API answered {error.code}: {said}")


def zipped(tree: Tree) -> bytes:
    """A tree as a .zip body."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in tree.paths.items():
            archive.write(path, name)
    return data.getvalue()
