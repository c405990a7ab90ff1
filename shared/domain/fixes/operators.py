"""Objects by which OLM installs an operator: they go once somebody said what installs it on AKS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.checks.operators import NAMELESS
from shared.domain.convert.base import CannotConvert, Conversion, Op, decision_key
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.model import Question


@fix("operator-replaced", Nothing)
def operator_replaced(_: Mapping[str, Any], found: Found, __: Nothing, facts: Facts) -> Conversion:
    """Remove the object where the Decision `operators.<package>` says what installs the operator on AKS; else ask for it."""
    package = found.fields["package"]
    if package == NAMELESS:
        raise CannotConvert("The object names no package, so nobody can say what takes its place.", path=found.path)
    key = decision_key("operators", package)
    answer = facts.decision(key)
    if not isinstance(answer, str) or not answer:
        known = f" Known: {found.fields['instead']}." if "instead" in found.fields else ""
        question = Question(key, f"What installs {package} on AKS from now on?{known}", str(found.fields.get("instead", "Helm chart")))
        raise CannotConvert("Without its operator the application's custom resources are refused: it must come from somewhere.", question)
    return Conversion((Op("remove", ""),))
