"""Whether a label selector matches labels (apimachinery's LabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from shared.domain.convert.forms import Form


class Requirement(Form):
    """One entry of `matchExpressions`."""

    key: str
    operator: str
    values: list[str] | None = None

    def holds(self, labels: Mapping[str, Any]) -> bool:
        """Whether labels meet the requirement; an unknown operator is met by none."""
        there, listed = self.key in labels, labels.get(self.key) in (self.values or ())
        return {"In": listed, "NotIn": not listed, "Exists": there, "DoesNotExist": not there}.get(self.operator, False)


class LabelSelector(Form):
    """A LabelSelector; an empty one selects all."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = Field(default=None)

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, Any]) -> bool:
        """Whether it selects an object with these labels."""
        wanted = all(labels.get(k) == v for k, v in (self.match_labels or {}).items())
        return wanted and all(e.holds(labels) for e in self.match_expressions or ())
