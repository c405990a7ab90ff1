"""Standard output and error of the command line: colour on a terminal only, no wrapping where a pipe reads."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.text import Text

SEVERITY_STYLE = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_DIFF_STYLE = {"+": "green", "-": "red", "@": "cyan"}


def output() -> Console:
    """The console of standard output; made anew, so that a redirected stream is seen."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)


def errors() -> Console:
    """The console of standard error."""
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(*parts: str | tuple[str, str]) -> None:
    """One line on standard output; a part may carry a style."""
    output().print(Text.assemble(*parts))


def note(message: str) -> None:
    """One line on standard error that is no result."""
    errors().print(Text(message))


def help_without_command(context: typer.Context) -> None:
    """Callback of a group of commands: its help where none of them is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def paragraph(text: str, indent: str) -> None:
    """Prose, wrapped to the terminal's width; one line where a pipe reads."""
    if not sys.stdout.isatty():
        say(indent, text)
        return
    width = min(shutil.get_terminal_size().columns, 100)
    for line in textwrap.wrap(text, width=max(width, 40), initial_indent=indent, subsequent_indent=indent):
        say((line, "dim"))


def print_diff(diff: str) -> None:
    """A unified diff, coloured on a terminal, byte for byte elsewhere."""
    if not sys.stdout.isatty():
        typer.echo(diff.encode("utf-8", "surrogateescape"), nl=False)
        return
    console = output()
    for line in diff.removesuffix("\n").split("\n"):
        console.print(Text(line, style=_diff_style(line)))


def _diff_style(line: str) -> str:
    if line.startswith(("diff ", "--- ", "+++ ")):
        return "bold"
    return _DIFF_STYLE.get(line[:1], "")


@contextmanager
def status(message: str) -> Iterator[None]:
    """A spinner on standard error while something takes its time; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with errors().status(message):
        yield
