"""`aks-copilot up`: the whole pipeline on this machine, kept running for use. A development tool; in Azure the real host runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from funchost.azurite import Azurite, AzuriteUnavailableError
from shared.cli.console import note, say
from shared.cli.remote import environment
from shared.cli.servers import BLOB_PORT, app_root, host_command, listens, running, stop_on_terminate, wait_until_healthy
from shared.domain.errors import ValidationError
from shared.services import build_services
from shared.settings import load_settings

_DEVELOPMENT = "UseDevelopmentStorage=true"
_DATA = ".azurite"


def up(
    port: Annotated[int, typer.Option(help="Port of the HTTP API.")] = 7071,
    core_tools: Annotated[bool, typer.Option("--func/--no-func", help="Use Azure Functions Core Tools where they are installed.")] = True,
) -> None:
    """Start storage (Azurite) and the function app, and keep them running until Ctrl-C."""
    root = app_root()
    settings = environment()
    settings.setdefault("STORAGE", _DEVELOPMENT)
    settings.setdefault("AzureWebJobsStorage", settings["STORAGE"])
    stop_on_terminate()
    if listens(port):
        raise ValidationError(f"port {port} is taken; choose another one with --port")
    command = host_command(root, port, core_tools=core_tools)
    with _storage(root, settings), running(command, root, settings) as host:
        try:
            wait_until_healthy(port, host, 120)
            build_services(load_settings(settings)).ensure()  # people upload into them before the first run makes them
            say(f"ready: `aks-copilot submit PATH --watch --url http://127.0.0.1:{port}` in another terminal; Ctrl-C stops")
            code = host.wait()
        except KeyboardInterrupt:
            note("stopping")
            return
    raise ValidationError(f"the Functions host ended with exit code {code}")


@contextmanager
def _storage(root: Path, settings: dict[str, str]) -> Iterator[None]:
    """Azurite on its usual ports where the settings want it and nobody else runs it."""
    wanted = _DEVELOPMENT in (settings["STORAGE"], settings["AzureWebJobsStorage"])
    if not wanted or listens(BLOB_PORT):
        yield
        return
    try:
        with Azurite(root / _DATA, blob_port=BLOB_PORT, queue_port=BLOB_PORT + 1, table_port=BLOB_PORT + 2):
            yield
    except AzuriteUnavailableError as error:
        raise ValidationError(str(error)) from error
