"""Which findings of a file a line means: those that point to it, else the innermost that it is a part of."""

from __future__ import annotations

import sys

from shared.domain.explain.excerpt import block_of
from shared.domain.inspector import manifest_of
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.hiding import split_lines
from shared.domain.run import SourceFile


def at_line(file: SourceFile, outcome: FileOutcome, line: int) -> list[Violation]:
    """The violations that a line of the file means, in the report's order."""
    exact = [v for v in outcome.violations if v.line == line]
    if exact:
        return exact
    lines = split_lines(manifest_of(file).text)
    around = [v for v in outcome.violations if v.line <= len(lines) and line in block_of(lines, v, sys.maxsize)]
    innermost = max((v.line for v in around), default=0)
    return [v for v in around if v.line == innermost]
