"""The file `.aks-copilot.yaml` as YAML: its name, its size, and one line for what cannot be read. What it says is read elsewhere."""

from __future__ import annotations

from typing import Any

import yaml

from shared.domain.errors import ValidationError

FILE_NAME = ".aks-copilot.yaml"
MAX_BYTES = 256 * 1024


def parsed(data: bytes) -> tuple[Any, str]:
    """(document, text). Raises ValidationError with the line, where YAML says one."""
    if len(data) > MAX_BYTES:
        raise ValidationError(f"{FILE_NAME}: larger than {MAX_BYTES // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
        return yaml.safe_load(text), text
    except (ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: no UTF-8, or a date that does not exist
        mark = getattr(error, "problem_mark", None)
        raise ValidationError(f"{FILE_NAME}{f':{mark.line + 1}' if mark else ''}: not readable as YAML") from error
