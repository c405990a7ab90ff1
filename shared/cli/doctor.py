"""`aks-copilot doctor`: looks an installation over, here or in Azure, and says how to mend what does not work."""

from __future__ import annotations

import json
import logging
import os
from enum import StrEnum
from typing import Annotated

import typer

import shared
from shared.cli.console import say
from shared.cli.remote import environment
from shared.cli.runs import URL, Url
from shared.domain.doctor import Result, document, examine, passed, summary

_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}


class Format(StrEnum):
    """`--format`."""

    TEXT = "text"
    JSON = "json"


def doctor(
    url: Url = None,
    model: Annotated[bool, typer.Option("--model", help="Ask the language model one short question too, which costs tokens.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Make the containers and queues that are missing.")] = False,
    output: Annotated[Format, typer.Option("--format", help="Lines for people, or one JSON document.")] = Format.TEXT,
) -> None:
    """Look over an installation: settings, storage, secrets, GitHub, Slack, model, function app. Exit code 1 where something failed."""
    from shared.adapters.app_health import base_of  # noqa: PLC0415 (loaded where it is used)
    from shared.doctor.checks import checks_of  # noqa: PLC0415
    from shared.doctor.installation import look_at  # noqa: PLC0415

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what fails is told below, in one line
    address = url or os.environ.get(URL)
    installation = look_at(environment(), url=base_of(address) if address else None, ask_model=model, create=create)
    results: list[Result] = []
    for result in examine(checks_of(installation)):
        results.append(result)
        if output is Format.TEXT:
            _print(result)
    if output is Format.JSON:
        typer.echo(json.dumps(document(results, shared.__version__), indent=2))
    else:
        say(", ".join(f"{count} {state}" for state, count in summary(results).items()))
    raise typer.Exit(0 if passed(results) else 1)


def _print(result: Result) -> None:
    finding = result.finding
    say((f"{finding.state:8} ", _STYLES[finding.state]), f"{result.name:15} ", finding.detail)
    for line in finding.mend:
        say(" " * 9, ("mend: ", "bold"), line)
