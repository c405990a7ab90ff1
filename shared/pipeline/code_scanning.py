"""The publisher `sarif`: a run's findings as alerts of GitHub's code scanning, for repositories that ask for it (`codeScanning: true`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.code_host import CodeScanning
from shared.domain.code_scanning import prepare
from shared.domain.errors import CriticalError, ValidationError
from shared.pipeline import names, origin, publish, results
from shared.pipeline.context import Context

NAME = "sarif"


@dataclass(frozen=True, slots=True)
class CodeScanningPublisher:
    """Uploads once per run; GitHub keeps the newest analysis of a commit and category, so a repeated upload changes nothing."""

    host: CodeScanning

    def __call__(self, ctx: Context, run: str) -> Mapping[str, Any] | None:
        """A Publisher (shared.pipeline.context). Raises ValidationError where the repository has code scanning switched off."""
        source, before = origin.find(ctx, run), publish.recall(ctx, run, NAME)
        if source is None or not source.code_scanning or results.finished(ctx, run) is None:
            return None
        if before and "error" not in before:
            return before
        report = ctx.blobs.read(names.REPORTS, f"{run}/report.sarif", max_bytes=ctx.limits.state_bytes)
        if report is None:
            raise CriticalError("the run has no report.sarif")
        upload = prepare(report[0], source.folder)
        try:
            url = self.host.upload_sarif(source.repository, source.commit, source.ref, upload.sarif)
        except CriticalError as error:
            raise ValidationError(f"code scanning is off, or the program may not write security events: {error}") from None
        return {"url": url, "leftOut": upload.left_out}
