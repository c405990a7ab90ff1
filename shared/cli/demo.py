"""`make run`: the whole pipeline on samples/, from upload to report, on free ports and with fresh data; stops what it started."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funchost.azurite import Azurite, AzuriteUnavailableError
from shared.cli.console import note, output, print_diff, say
from shared.cli.progress import follow, print_outcome
from shared.cli.remote import PROJECT, Storage
from shared.cli.servers import free_port, host_command, running, stop_on_terminate, wait_until_healthy
from shared.cli.tree import read_tree
from shared.domain.errors import AksCopilotError
from shared.logs import describe
from shared.pipeline import names
from shared.pipeline.context import Context
from shared.services import build_services
from shared.settings import load_settings

SAMPLES = PROJECT / "samples"
WORK = PROJECT / ".run"
_LOG = "host.log"
_RUN_SECONDS = 300
_FILE_BYTES = 64 * 1024 * 1024


def main(work: Path = WORK) -> int:
    """Run the demonstration in a fresh folder; 0 where every sample's run is done, 1 otherwise, 130 when interrupted."""
    stop_on_terminate()
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        with _pipeline(work) as remote:
            results = [_run_sample(remote, folder, work) for folder in sorted(SAMPLES.iterdir()) if folder.is_dir()]
    except KeyboardInterrupt:
        note("interrupted; everything that was started is stopped")
        return 130
    except (AksCopilotError, AzuriteUnavailableError) as error:
        note(f"make run: {describe(error) if isinstance(error, AksCopilotError) else error}; see {_shown(work / _LOG)}")
        return 1
    return 0 if all(results) else 1


@contextmanager
def _pipeline(work: Path) -> Iterator[Storage]:
    """Azurite and the function app, both for this call only."""
    say("starting Azurite and the function app")
    port = free_port()
    with Azurite(work / "azurite") as azurite, (work / _LOG).open("wb") as log:
        settings = dict(os.environ) | {
            "STORAGE": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }
        with running(host_command(PROJECT, port, core_tools=False), PROJECT, settings, log) as host:
            wait_until_healthy(port, host, 120)
            yield Storage(build_services(load_settings(settings)))


def _run_sample(remote: Storage, folder: Path, work: Path) -> bool:
    output().rule(folder.name)
    tree = read_tree([folder])
    say(f"uploading {len(tree.paths)} files to manifests/{folder.name}/")
    run = remote.submit(tree, folder.name)
    status = follow(lambda: remote.status(run), _RUN_SECONDS)
    if status is None or status["state"] == "queued":
        note(f"the run did not start within {_RUN_SECONDS} s; see {_shown(work / _LOG)}")
        return False
    print_outcome(status)
    if status["state"] != "done":
        note(f"see {_shown(work / _LOG)}")
        return False
    _bring(remote.context, run, work / folder.name)
    _show(work / folder.name)
    return True


def _bring(ctx: Context, run: str, target: Path) -> None:
    """Download reports and patched files."""
    for container, place in ((names.REPORTS, target / "report"), (names.PATCHED, target / "patched")):
        for blob in ctx.blobs.list(container, f"{run}/"):
            found = ctx.blobs.read(container, blob.name, max_bytes=_FILE_BYTES)
            path = place / blob.name.removeprefix(f"{run}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found[0] if found else b"")


def _show(result: Path) -> None:
    """The diff, what is left for a person, and where everything lies."""
    say("")
    print_diff((result / "report" / "changes.diff").read_text(encoding="utf-8"))
    say("")
    for file in json.loads((result / "report" / "report.json").read_bytes())["files"]:
        for found in file["violations"]:
            if found["resolution"] in ("needs-human", "suggested"):
                place = f"{file['path']}:{found['line']} {found['ruleId']} "
                say((f"{found['resolution']:12}", "yellow"), place, found["message"])
    say("")
    say(("report   ", "bold"), _shown(result / "report" / "report.md"))
    say(("patched  ", "bold"), _shown(result / "patched"))


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
