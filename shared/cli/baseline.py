"""`aks-copilot baseline`: accept what a run leaves open, in a file that says who, when, why and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.console import say, status
from shared.cli.local import fix_tree, options_for
from shared.cli.manifests import Knowledge, Source, TargetFile
from shared.cli.tree import read_tree
from shared.domain.acceptance import FILE_NAME
from shared.domain.baseline import entries, grown
from shared.domain.errors import EditRefused, ProofFailed, ValidationError
from shared.domain.rulebook import by_id


def baseline(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder with the application's manifests; the file is written to it.")],
    by: Annotated[str, typer.Option(help="Who accepts the findings.")],
    reason: Annotated[str, typer.Option(help="Why they may stay.")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day; after it they count again.")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="Only findings of this rule; may be given several times.")] = None,
    source: Source = "auto",
    target: TargetFile = None,
    knowledge: Knowledge = None,
) -> None:
    """Accept the findings that `fix` would leave open. They are ignored from then on, each with this reason; the file is yours to edit."""
    if not path.is_dir():
        raise ValidationError(f"{path}: not a folder")
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise typer.BadParameter(f"{name} is empty")
    wanted = [name.upper() for name in rule or ()]
    _known(wanted, knowledge)
    with status("inspecting"):
        run = fix_tree(read_tree([path]), options_for(path, source, target, knowledge))
    today = datetime.now(UTC).date()
    new = entries(run.outcomes, wanted, by.strip(), today, until.date() if until else None, reason.strip())
    file = path / FILE_NAME
    try:
        before = file.read_bytes() if file.exists() else None
        after = grown(before, new)
    except (EditRefused, ProofFailed) as error:
        raise ValidationError(f"{file}: {error}") from error
    if after == before or not new:
        say("nothing is left open: no entry written")
        return
    file.write_bytes(after)
    say(f"{len(new)} {'entry' if len(new) == 1 else 'entries'} in ", str(file))


def _known(rules: list[str], knowledge: Path | None) -> None:
    unknown = [name for name in rules if name not in by_id()]
    if unknown and knowledge is None:
        raise ValidationError(f"no rule {unknown[0]}; `aks-copilot rules list` names them")
