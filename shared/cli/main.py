"""`aks-copilot`: the command line (DESIGN 4).

Exit codes: 0 nothing is left, 1 something is left, 2 the call could not be used (one line on standard error, no traceback),
130 interrupted.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
from typing import Annotated

import typer

import shared
from shared.cli.baseline import baseline
from shared.cli.console import help_without_command, note
from shared.cli.doctor import doctor
from shared.cli.explain import explain_command
from shared.cli.knowledge import knowledge_app
from shared.cli.manifests import fix, inspect
from shared.cli.parallel import RARELY
from shared.cli.rules import profiles_app, rules_app
from shared.cli.runs import runs, submit, watch
from shared.cli.targets import targets_app
from shared.cli.up import up
from shared.domain.errors import AksCopilotError
from shared.environment import SettingsError
from shared.logs import configure, describe

app = typer.Typer(
    name="aks-copilot",
    help="Moves Kubernetes manifests from k3s, OKD and their cousins to Azure Kubernetes Service, and says why.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(inspect)
app.command()(fix)
app.command("explain")(explain_command)
app.command()(baseline)
app.command()(submit)
app.command()(watch)
app.command()(runs)
app.command()(up)
app.command()(doctor)
app.add_typer(rules_app, name="rules")
app.add_typer(profiles_app, name="profiles")
app.add_typer(targets_app, name="targets")
app.add_typer(knowledge_app, name="kb")


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer's callback)
    if wanted:
        typer.echo(f"aks-copilot {shared.__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Options of the program as a whole; help where no command is named."""
    help_without_command(context)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    try:
        return int(app(arguments, standalone_mode=False, prog_name="aks-copilot") or 0)
    except typer.TyperException as error:
        if error.format_message():
            note(f"aks-copilot: {' '.join(error.format_message().split())}")
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except SettingsError as error:
        note(f"aks-copilot: {describe(error)} (`aks-copilot doctor` says how to set each)")
    except AksCopilotError as error:
        note(f"aks-copilot: {describe(error)}")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        note(f"aks-copilot: {error.filename or 'input or output'}: {error.strerror}")
    except Exception as error:  # noqa: BLE001 (a bug: one line, no traceback, nothing of a manifest)
        note(f"aks-copilot: {describe(error)}")
    return 2


def main() -> None:
    """The entry point."""
    gc.set_threshold(*RARELY)
    configure(logging.WARNING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run())
