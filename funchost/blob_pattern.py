"""Blob trigger paths such as ``manifests/{name}``: which blobs match, and what the braces capture (BlobPathSource)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from funchost.errors import ConfigurationError

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class BlobPattern:
    """A container and an expression over blob names; captures are greedy."""

    container: str
    expression: re.Pattern[str]

    def match(self, blob_name: str) -> dict[str, str] | None:
        """The captured parameters, or None when the name does not match."""
        found = self.expression.fullmatch(blob_name)
        return found.groupdict() if found else None


def parse_pattern(path: str, where: str) -> BlobPattern:
    """Parse ``container[/pattern]``; raises ConfigurationError starting with ``where``."""
    if "\\" in path:
        raise ConfigurationError(f"{where}: a blob path has no backslash: {path!r}")
    container, _, pattern = path.partition("/")
    if not container or "{" in container or "}" in container:
        raise ConfigurationError(f"{where}: a blob path starts with a container name: {path!r}")
    return BlobPattern(container, re.compile(_expression(pattern, where) if pattern else r"(?s:.*)"))


def _expression(pattern: str, where: str) -> str:
    """``{{`` and ``}}`` are literal braces; a name may occur once."""
    parts, position, names = [], 0, set()
    while position < len(pattern):
        if pattern[position : position + 2] in {"{{", "}}"}:
            parts.append(re.escape(pattern[position]))
            position += 2
            continue
        parameter = _PARAMETER.match(pattern, position)
        if parameter is None:
            if pattern[position] in "{}":
                raise ConfigurationError(f"{where}: unbalanced or unnamed braces in {pattern!r}")
            parts.append(re.escape(pattern[position]))
            position += 1
            continue
        if parameter.group(1) in names:
            raise ConfigurationError(f"{where}: {parameter.group(0)} occurs twice in {pattern!r}")
        names.add(parameter.group(1))
        parts.append(f"(?P<{parameter.group(1)}>(?s:.+))")
        position = parameter.end()
    return "".join(parts)
