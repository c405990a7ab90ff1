"""All report files of a run at once; the same for the command line and the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome
from shared.domain.report.cutover import cutover_md
from shared.domain.report.document import patch_json, report_json, to_bytes
from shared.domain.report.html_page import report_html
from shared.domain.report.markdown import report_md
from shared.domain.report.reading import Excerpts, Original, nothing_known
from shared.domain.report.resources import resources_md
from shared.domain.report.sarif import sarif_log
from shared.domain.run import RunSetup


def render_all(
    setup: RunSetup, outcomes: Sequence[FileOutcome], diffs: Mapping[str, str], after: Inventory, original: Original = nothing_known
) -> dict[str, bytes]:
    """Name to content of every report file. `diffs` are the masked unified diffs by path, `after` the objects as the run leaves them.

    `original` gives the bytes of a file as it came, of which the pages show the lines around a finding, Secret values masked.
    """
    excerpts = Excerpts(original)
    return {
        "report.json": json_report(setup, outcomes),
        "report.md": _text(report_md(setup, outcomes, diffs, excerpts)),
        "report.html": _text(report_html(setup, outcomes, diffs, excerpts)),
        "report.sarif": to_bytes(sarif_log(setup, outcomes, diffs)),
        "patch.json": to_bytes(patch_json(outcomes)),
        "changes.diff": _text(changes_diff(diffs)),
        "resources.md": _text(resources_md(setup, outcomes)),
        "cutover.md": _text(cutover_md(setup, outcomes, after)),
    }


def json_report(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> bytes:
    """report.json alone, where no other file is wanted: the pages take most of the time."""
    return to_bytes(report_json(setup, outcomes))


def sarif_json(setup: RunSetup, outcomes: Sequence[FileOutcome]) -> bytes:
    """report.sarif alone, of an inspection: nothing was changed, so no finding has a fix."""
    return to_bytes(sarif_log(setup, outcomes, {}))


def changes_diff(diffs: Mapping[str, str]) -> str:
    """The diffs of all files, in path order."""
    return "".join(diffs[path] for path in sorted(diffs))


def _text(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")
