"""`aks-copilot targets`: the AKS flavours that are known, files of your own, and one written from a real cluster's saved output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from shared.cli.console import help_without_command, note, say
from shared.domain.cluster_dump import COMMANDS, missing, read_dump
from shared.domain.dumped_target import doubts, target_text
from shared.domain.errors import ValidationError
from shared.domain.target import built_in_targets, read_target

targets_app = typer.Typer(
    help="The AKS flavours that are known, and files of your own.", invoke_without_command=True, callback=help_without_command
)

SUFFIXES = {".json", ".yaml", ".yml"}
MAX_BYTES = 64 * 1024 * 1024
"""One file of a dump: a cluster's CustomResourceDefinitions with their schemas are a few MiB."""
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@targets_app.command("list")
def list_targets() -> None:
    """One line for each target."""
    for name, text in built_in_targets().items():
        say((f"{name:15}", "bold"), read_target(text).title)


@targets_app.command("show")
def show_target(name: Annotated[str, typer.Argument(metavar="NAME", help="For example aks-standard.")]) -> None:
    """The target file: versions, safeguards, ingress, storage classes, registries."""
    known = built_in_targets()
    if name not in known:
        raise ValidationError(f"no target {name}; known: {', '.join(known)}")
    say(known[name].rstrip("\n"))


@targets_app.command("check")
def check_targets(paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Target files.")]) -> None:
    """Hold target files against the schema, and say what in them contradicts itself."""
    doubtful = 0
    for path in paths:
        target = read_target(_text(path), str(path))
        for doubt in doubts(target):
            doubtful += 1
            say((f"{path}: ", "bold"), doubt)
    say((f"{len(paths)} targets, {doubtful} doubts", "bold"))
    raise typer.Exit(doubtful > 0)


_DUMP_HELP = "Folder with the saved output of: " + "; ".join(c.partition(" >")[0] for c in COMMANDS.values())


@targets_app.command("from-dump")
def from_dump(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help=_DUMP_HELP)],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write the target; standard output by default.")] = None,
    name: Annotated[str | None, typer.Option(help="The target's name; that of FILE or DIR by default.")] = None,
) -> None:
    """Write a target file from what a cluster said of itself. Reads files only, asks no cluster."""
    if not directory.is_dir():
        raise ValidationError(f"{directory}: no such folder")
    dump, unknown = read_dump(_documents(directory))
    text = target_text(dump, name or (out.stem if out else directory.resolve().name))
    for file in unknown:
        note(f"{file}: not used, holds none of the outputs that a target is made of")
    for command in missing(dump):
        note(f"not in {directory}: {command}")
    for doubt in doubts(read_target(text)):
        note(f"check by hand: {doubt}")
    if out is None:
        say(text.rstrip("\n"))
    elif out.exists():
        raise ValidationError(f"{out} exists")
    else:
        out.write_text(text, encoding="utf-8")
        say(str(out))


def _documents(directory: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(p for p in directory.iterdir() if p.is_file() and p.suffix in SUFFIXES):
        if path.stat().st_size > MAX_BYTES:
            raise ValidationError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB")
        try:
            for document in yaml.load_all(_text(path), Loader=_LOADER):
                yield str(path), document
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            raise ValidationError(f"{path}{f':{mark.line + 1}' if mark else ''}: neither JSON nor YAML") from error


def _text(path: Path) -> str:
    """A file's text; UTF-16 too, which Windows PowerShell's `>` writes."""
    try:
        data = path.read_bytes()
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"{path}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
