"""`aks-copilot submit`, `watch` and `runs`: the pipeline, wherever it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.console import say
from shared.cli.progress import follow, print_outcome
from shared.cli.remote import Remote, connect
from shared.cli.tree import read_tree
from shared.domain.errors import ValidationError
from shared.domain.run import APP_NAME, app_name

URL = "AKS_COPILOT_URL"
Url = Annotated[str | None, typer.Option(metavar="URL", help=f"The function app's address; default {URL}, else storage is used.")]


def submit(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File or folder with manifests.")],
    app: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the application; the folder's by default.")] = None,
    url: Url = None,
    watch_it: Annotated[bool, typer.Option("--watch", help="Follow the run until it ends.")] = False,
) -> None:
    """Upload an application to the pipeline and start its run. What an earlier upload left there is replaced."""
    tree = read_tree([path])
    name = app or app_name(path.resolve().name if path.is_dir() else path.stem)
    if not APP_NAME.fullmatch(name):
        raise ValidationError("--app must be 1 to 40 characters of a-z, 0-9 and -")
    if not tree.paths:
        raise ValidationError(f"{path}: no file to upload")
    remote = connect(url or os.environ.get(URL))
    run = remote.submit(tree, name)
    say(run)
    if watch_it:
        _watch(remote, run, None)


def watch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The runId that `submit` printed.")],
    url: Url = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Give up after this time.")] = None,
) -> None:
    """Follow a run. Exit code 0 when it is done, 1 when it failed or took too long."""
    remote = connect(url or os.environ.get(URL))
    if remote.status(run) is None:
        raise ValidationError(f"no such run: {run}")
    _watch(remote, run, timeout)


def _watch(remote: Remote, run: str, timeout: float | None) -> None:
    found = follow(lambda: remote.status(run), timeout)
    if found is not None:
        print_outcome(found)
    raise typer.Exit(found is None or found["state"] != "done")


def runs(url: Url = None) -> None:
    """The newest runs first."""
    for found in connect(url or os.environ.get(URL)).runs():
        say((f"{found['state']:8} ", "bold"), f"{found['startedAt'] or '':25} ", found["runId"])
