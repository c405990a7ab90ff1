"""Settings as Core Tools hands them to a function app, and this host's own tuning.

``local.settings.json`` values become environment variables unless the real environment already has them;
``%NAME%`` in a binding is one of them. Leases and intervals of the real host are settings here (``FUNCHOST_*``), so
that a test of a crash takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from funchost.errors import ConfigurationError

_PERCENT = re.compile(r"%([^%\s]+)%")
_HOST_ID_SETTING = "AzureFunctionsWebHost__hostid"


@dataclass(frozen=True)
class Timings:
    """Seconds. The defaults are the real host's (QueueListener.cs, ScanContainersStrategy, BlobReceiptManager.cs)."""

    queue_lease_seconds: float = 600.0
    blob_scan_seconds: float = 2.0
    receipt_lease_seconds: float = 30.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Timings:
        """Read ``FUNCHOST_<FIELD>`` variables; raises ConfigurationError for what is no number or under 1 (scan: 0.05)."""
        values = {}
        for field in fields(cls):
            name = f"FUNCHOST_{field.name.upper()}"
            low = 0.05 if field.name == "blob_scan_seconds" else 1.0
            if name in environ:
                values[field.name] = _number(name, environ[name], low)
        timings = cls(**values)
        if not 15 <= timings.receipt_lease_seconds <= 60:
            raise ConfigurationError("FUNCHOST_RECEIPT_LEASE_SECONDS must be 15 to 60, the bounds of a blob lease")
        return timings


def _number(name: str, text: str, low: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not low <= number < 1e6:
        raise ConfigurationError(f"{name} must be a number of seconds from {low:g}, not {text!r}")
    return number


def load_local_settings(path: Path, environ: MutableMapping[str, str], *, required: bool) -> int:
    """Put ``Values`` (and ``ConnectionStrings``) of local.settings.json into ``environ``; returns how many were new."""
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        if required:
            raise ConfigurationError(f"settings file not found: {path}") from None
        return 0
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path.name} must be a JSON object")
    if document.get("IsEncrypted"):
        raise ConfigurationError(f"{path.name} is encrypted; this host reads plain settings only")
    values = _section(document, "Values", path) | {
        f"ConnectionStrings:{k}": v for k, v in _section(document, "ConnectionStrings", path).items()
    }
    fresh = {name: text for name, text in values.items() if name not in environ}
    environ.update(fresh)
    return len(fresh)


def _section(document: dict[str, Any], name: str, path: Path) -> dict[str, str]:
    section = document.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise ConfigurationError(f"{path.name}: {name} must be an object")
    wrong = next((key for key, value in section.items() if isinstance(value, (dict, list))), None)
    if wrong is not None:
        raise ConfigurationError(f"{path.name}: {name}.{wrong} must be a string")
    return {key: _as_text(value) for key, value in section.items() if value is not None}


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def resolve_percent(text: str, environ: Mapping[str, str], where: str) -> str:
    """Replace every ``%NAME%``; raises ConfigurationError where a setting is missing (the real host fails at indexing too)."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise ConfigurationError(f"{where}: %{name}% does not resolve to a setting")
        return environ[name]

    return _PERCENT.sub(value_of, text)


def host_id(app_root: Path, environ: Mapping[str, str]) -> str:
    """The stable id that names receipts, locks and the internal queue: at most 32 characters of ``[a-z0-9-]``."""
    configured = environ.get(_HOST_ID_SETTING)
    if configured is not None:
        if not re.fullmatch(r"[a-z0-9](?:-?[a-z0-9]){0,31}", configured) or len(configured) > 32:
            raise ConfigurationError(f"{_HOST_ID_SETTING} must be 1 to 32 characters a-z, 0-9 and single dashes, not {configured!r}")
        return configured
    machine = re.sub(r"[^a-z0-9]+", "-", platform.node().lower()).strip("-")[:15].strip("-") or "host"
    digest = hashlib.sha256(os.fsencode(app_root.resolve())).hexdigest()[:12]
    return f"{machine}-{digest}"
