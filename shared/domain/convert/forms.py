"""The strict forms of source objects: a field that a form does not know is a refusal, never a silent loss.

Each form names every field of the source's API; pydantic reads it in strict mode (no coercion), so that a converter sees only values
of the right type and `${VAR}` in a numeric field that it must understand is refused with its place.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared.domain.convert.base import CannotConvert
from shared.domain.convert.edits import is_opaque
from shared.domain.pointer import join


class Form(BaseModel):
    """Base of all forms: camelCase on the wire, strict, closed, frozen."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, extra="forbid", frozen=True)


def _count(value: object) -> object:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)) or is_opaque(value):
        return value
    raise PydanticCustomError("int_type", "not a whole number")


Count = Annotated[int | str | None, PlainValidator(_count)]
"""A whole number, or the `${VAR}` that is filled in later, in a field that a conversion leaves as it is."""

F = TypeVar("F", bound=Form)
TOLD = {
    "extra_forbidden": "is not a field this program knows",
    "missing": "is missing",
    "model_type": "is not a mapping",
    "dict_type": "is not a mapping",
    "list_type": "is not a list",
    "string_type": "is not a text",
    "int_type": "is not a whole number",
    "bool_type": "is neither true nor false",
}
"""What is wrong with a value, by the type of pydantic's error; the other types say it themselves."""


def read_form(form: type[F], value: Any, path: str) -> F:
    """`value`, found at `path`, as a form. Raises CannotConvert naming the first field that does not fit; never quotes a value."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = path + join(p for p in first["loc"] if isinstance(p, int) or not p.startswith(("function-", "union")))
        what = TOLD.get(first["type"], f"cannot be used: {first['msg'].lower()}")
        raise CannotConvert(f"{where or 'the object'} {what}", path=path) from error
