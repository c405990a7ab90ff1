"""report.sarif as GitHub's code scanning takes it: paths from the repository's root, nothing that is accepted, within its limits.

Facts: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning (read
2026-11): 10 MB compressed, 25 000 results a run, 1 000 locations a result; suppressed results would become alerts.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.domain.errors import ValidationError

MOST_RESULTS = 25_000
MOST_BYTES = 10 * 1000 * 1000
_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Upload:
    """`sarif` is gzip in Base64; `left_out` counts the results over the limit, the least grave ones."""

    sarif: str
    left_out: int = 0


def prepare(report: bytes, folder: str = "") -> Upload:
    """The upload of a run's report.sarif. `folder` is where the application lies ("" for the root).

    Raises ValidationError where it is larger than GitHub takes.
    """
    log: dict[str, Any] = json.loads(report)
    prefix = quote(f"{folder}/") if folder else ""
    left_out = 0
    for run in log["runs"]:
        kept = sorted((r for r in run["results"] if not r.get("suppressions")), key=lambda r: _RANK[r["level"]])
        left_out += max(0, len(kept) - MOST_RESULTS)
        run["results"] = kept[:MOST_RESULTS]
        for artifact in _artifacts(run):
            artifact["uri"] = prefix + artifact["uri"]
    data = gzip.compress(json.dumps(log, ensure_ascii=False).encode(), mtime=0)
    if len(data) > MOST_BYTES:
        raise ValidationError(f"the SARIF file is larger than GitHub takes ({MOST_BYTES // 1_000_000} MB compressed)")
    return Upload(base64.b64encode(data).decode("ascii"), left_out)


def _artifacts(value: Any) -> list[dict[str, Any]]:
    """Every artifactLocation with a path, wherever SARIF has one."""
    found: list[dict[str, Any]] = []
    if isinstance(value, Mapping):
        here = value.get("artifactLocation")
        found += [here] if isinstance(here, dict) and "uri" in here else []
        found += [one for child in value.values() for one in _artifacts(child)]
    elif isinstance(value, list):
        found += [one for child in value for one in _artifacts(child)]
    return found
