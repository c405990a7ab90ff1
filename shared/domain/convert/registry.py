"""The names by which rule files call a conversion."""

from __future__ import annotations

from shared.domain.convert.base import Converter

CONVERSIONS: dict[str, Converter] = {}
