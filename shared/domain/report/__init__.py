"""What a run has to say, for people and for tools: pure functions from outcomes to text, with secrets hidden."""

from shared.domain.report.document import patch_json, report_json, summary
from shared.domain.report.github import github_annotations
from shared.domain.report.masking import masked_diff
from shared.domain.report.render import changes_diff, json_report, render_all, sarif_json
from shared.domain.report.sarif import sarif_log

__all__ = [
    "changes_diff", "github_annotations", "json_report", "masked_diff", "patch_json", "render_all", "report_json", "sarif_json",
    "sarif_log", "summary",
]  # fmt: skip
