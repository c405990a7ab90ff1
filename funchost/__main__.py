"""``python -m funchost``: serve the function app of a folder on this machine."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from funchost.app import AppSettings
from funchost.errors import ConfigurationError, HostError
from funchost.host import Ending, Host
from funchost.hostjson import read_host_options
from funchost.http_function import BODY_LIMIT
from funchost.http_keys import read_keys
from funchost.library_worker import LibraryWorker
from funchost.runtime_worker import RuntimeWorker
from funchost.settings import Timings, host_id, load_local_settings
from funchost.worker import Worker

log = logging.getLogger("funchost")
_QUIET_LIBRARIES = ("azure.core", "azure.identity", "azure.storage", "urllib3", "uvicorn", "asyncio")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the host; 0 after a stop by signal, 1 when storage stopped it, 2 for what is wrong before the start."""
    started_in = Path.cwd()
    options = _parser().parse_args(arguments)
    _configure_logging(quiet=options.quiet, verbose=options.verbose)
    try:
        ending = _run(options)
    except ConfigurationError as error:
        print(f"funchost: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except HostError as error:
        print(f"funchost: {error}", file=sys.stderr)  # noqa: T201
        return 1
    if ending is Ending.RESTART:
        log.warning("Restarting, because a function exceeded functionTimeout")
        sys.stdout.flush()
        os.chdir(started_in)
        # The only way to end a thread that does not return: replace the process, with the command line it was started with.
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606
    return 0 if ending is Ending.STOPPED else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m funchost",
        description="Serves an Azure Functions app (Python v2 model) on this machine. For development; in Azure the real host runs.",
    )
    parser.add_argument("--app-root", type=Path, default=Path(), help="folder with function_app.py and host.json (default: here)")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on; beyond loopback keys are required")
    parser.add_argument("--port", type=int, default=7071, help="port to listen on, 0 for a free one (default: 7071)")
    parser.add_argument("--settings", type=Path, help="settings file (default: local.settings.json in the app root, if there is one)")
    parser.add_argument("--enable-auth", action="store_true", help="check function keys (FUNCHOST_HOST_KEY, FUNCHOST_MASTER_KEY)")
    parser.add_argument("--worker", choices=["library", "runtime"], default="library", help="runtime: Microsoft's worker, Python 3.13")
    parser.add_argument("--quiet", action="store_true", help="no line per invocation, only warnings, errors and the app's own log")
    parser.add_argument("--verbose", action="store_true", help="tracebacks of failed functions and other details")
    return parser


def _run(options: argparse.Namespace) -> Ending:
    root = options.app_root.resolve()
    if not root.is_dir():
        raise ConfigurationError(f"no such folder: {root}")
    settings_file = options.settings.resolve() if options.settings else None
    os.chdir(root)
    listening = _bind(options.address, options.port)
    with listening:
        settings = _settings(options, settings_file, root, listening.getsockname()[1])
        worker: Worker = RuntimeWorker(root) if options.worker == "runtime" else LibraryWorker(root)
        return asyncio.run(Host(worker, settings, listening).run())


def _settings(options: argparse.Namespace, settings_file: Path | None, root: Path, port: int) -> AppSettings:
    load_local_settings(settings_file or root / "local.settings.json", os.environ, required=settings_file is not None)
    _set_environment(root, port)
    return AppSettings(
        options=read_host_options(root),
        timings=Timings.from_environment(os.environ),
        keys=read_keys(os.environ, enabled=options.enable_auth or not _is_loopback(options.address)),
        host_id=host_id(root, os.environ),
        environ=os.environ,
        body_limit=_body_limit(),
    )


def _set_environment(root: Path, port: int) -> None:
    """What Core Tools sets; it forces Development too."""
    if os.environ.setdefault("FUNCTIONS_WORKER_RUNTIME", "python").lower() != "python":
        raise ConfigurationError("FUNCTIONS_WORKER_RUNTIME must be python")
    os.environ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development"
    os.environ.setdefault("AzureWebJobsScriptRoot", str(root))
    os.environ["WEBSITE_HOSTNAME"] = f"localhost:{port}"


def _body_limit() -> int:
    text = os.environ.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", str(BODY_LIMIT))
    if not text.isdigit():
        raise ConfigurationError(f"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a number of bytes, not {text!r}")
    return int(text)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _bind(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        listening.close()
        raise ConfigurationError(f"cannot listen on {address}:{port}: {error}") from None
    return listening


def _configure_logging(*, quiet: bool, verbose: bool) -> None:
    """The app's messages pass through as they are (they may be JSON lines); the host's own lines have a time and a level.

    The host has a handler of its own, so an app that replaces the root's takes nothing away.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
