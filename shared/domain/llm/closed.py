"""The form of a model's answer as a type: every object closed, every field required and of its own type, nothing converted."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem
from shared.domain.pointer import JsonValue


class Closed(BaseModel):
    """The base of such a form."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Form = TypeVar("Form", bound=Closed)


def fitted(form: type[Form], data: JsonValue) -> Form:
    """Parsed JSON in its form. Raises ValidationError, whose text quotes nothing of it."""
    try:
        return form.model_validate(data)
    except (SchemaError, RecursionError) as error:
        said = first_problem(error, "answer") if isinstance(error, SchemaError) else "nested too deeply"
        raise ValidationError(f"The answer does not fit the schema: {said}.") from error
