"""`aks-copilot inspect` and `aks-copilot fix`: manifests on this machine, no network, no account."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.console import note, print_diff, say, status
from shared.cli.local import LocalRun, fix_tree, inspect_tree, is_left, options_for
from shared.cli.model import ModelMode, adviser_of, chosen_model
from shared.cli.text import print_fixes, print_inspection
from shared.cli.tree import Tree, read_tree, seen_from, with_answers_of, with_baseline, write_in_place, write_out, write_reports
from shared.domain.errors import ValidationError
from shared.domain.model import Severity
from shared.domain.report import changes_diff, github_annotations, json_report, render_all, sarif_json


class Level(StrEnum):
    """`--fail-on`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def severity(self) -> Severity:
        return self.value


class InspectFormat(StrEnum):
    """`inspect --format`."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class FixFormat(StrEnum):
    """`fix --format`."""

    TEXT = "text"
    JSON = "json"


Source = Annotated[str, typer.Option(help="Where the manifests come from: auto, or a profile's name.")]
TargetFile = Annotated[
    Path | None,
    typer.Option(help="Target file, or a name of `targets list` or --knowledge; keys a file leaves out are the default's."),
]
Knowledge = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Your own rules/, profiles/ and targets/; a file with a built-in id or name replaces it.")
]
BaselineFile = Annotated[Path | None, typer.Option(help="Baseline to use in place of the folder's own .aks-copilot-baseline.yaml.")]
Root = Annotated[
    Path | None,
    typer.Option(envvar="GITHUB_WORKSPACE", help="What paths in the forms github and sarif are relative to, where PATH lies in it."),
]
FailOn = Annotated[Level, typer.Option(help="Exit with 1 where a finding of this level or worse is left.")]


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders with manifests.")],
    source: Source = "auto",
    target: TargetFile = None,
    knowledge: Knowledge = None,
    format_: Annotated[InspectFormat, typer.Option("--format", help="Form of the output.")] = InspectFormat.TEXT,
    fail_on: FailOn = Level.ERROR,
    baseline: BaselineFile = None,
    root: Root = None,
) -> None:
    """Say what would not work on AKS, where, why, and what `fix` can do about it. Changes nothing."""
    tree = with_baseline(read_tree(paths), baseline)
    with status("inspecting"):
        run = inspect_tree(tree, options_for(tree.root if len(paths) > 1 else paths[0], source, target, knowledge))
    if format_ is InspectFormat.TEXT:
        print_inspection(run.setup, run.outcomes)
    elif format_ is InspectFormat.GITHUB:
        for line in github_annotations(seen_from(root, tree, run.outcomes)):
            typer.echo(line.encode("utf-8", "backslashreplace"))
    elif format_ is InspectFormat.SARIF:
        typer.echo(sarif_json(run.setup, seen_from(root, tree, run.outcomes)), nl=False)
    else:
        typer.echo(json_report(run.setup, run.outcomes), nl=False)
    raise typer.Exit(is_left(run.outcomes, fail_on.severity))


def fix(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File or folder with manifests.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the whole tree under DIR.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Change the files where they are.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing, print the changes.")] = False,
    report_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Write report.md, report.json and the others to DIR.")] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Apply suggested changes too: they may change behaviour.")] = False,
    source: Source = "auto",
    target: TargetFile = None,
    knowledge: Knowledge = None,
    fail_on: FailOn = Level.ERROR,
    format_: Annotated[FixFormat, typer.Option("--format", help="Form of the output.")] = FixFormat.TEXT,
    baseline: BaselineFile = None,
    model: Annotated[ModelMode | None, typer.Option(help="What a language model may do, in the place of LLM_MODE (docs/model.md).")] = None,
) -> None:
    """Make manifests ready for AKS. Text that needs no change stays byte for byte."""
    if (out is not None) + in_place + diff != 1:
        raise typer.BadParameter("choose one of --out DIR, --in-place and --diff")
    if baseline is not None and not diff:
        raise typer.BadParameter("--baseline goes with --diff; what is written has its baseline beside the manifests")
    tree = with_baseline(read_tree([path], leave_out=[p for p in (out, report_dir) if p is not None]), baseline)
    tree = with_answers_of(tree, out) if out is not None else tree
    asked = chosen_model(model)
    with status("fixing"):
        options = replace(options_for(path, source, target, knowledge, unsafe=unsafe), model=asked.mode)
        run = fix_tree(tree, options, adviser_of(asked, knowledge))
    reports = _reports(run) if report_dir is not None else {"report.json": json_report(run.setup, run.outcomes)}
    _write(run, tree, out, in_place=in_place)
    if report_dir is not None:
        write_reports(report_dir, reports)
    if format_ is FixFormat.JSON:
        typer.echo(reports["report.json"], nl=False)
    elif diff:
        print_diff(changes_diff(run.diffs))
    else:
        print_fixes(run.setup, run.outcomes)
        _say_where(path if in_place else out, report_dir)
    raise typer.Exit(is_left(run.outcomes, fail_on.severity))


def _reports(run: LocalRun) -> dict[str, bytes]:
    return render_all(run.setup, run.outcomes, run.diffs, run.after, run.originals.get)


def _write(run: LocalRun, tree: Tree, out: Path | None, *, in_place: bool) -> None:
    try:
        if in_place:
            write_in_place(tree, run.changed, set(run.removed))
        elif out is not None:
            for name in write_out(tree, out, run.changed, set(run.removed)):
                note(f"aks-copilot: note: {out / name} is from before; nothing is left of it in this run")
    except OSError as error:
        raise ValidationError(f"{error.filename or out}: {error.strerror}") from error


def _say_where(written: Path | None, report_dir: Path | None) -> None:
    if written is not None:
        say("written to ", str(written))
    if report_dir is not None:
        say("report in  ", str(report_dir / "report.md"))
