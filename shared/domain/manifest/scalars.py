"""Plain scalars as kubectl reads them (sigs.k8s.io/yaml over goyaml.v2: resolve.go), not as PyYAML does.

Measured with `kubectl annotate --local` (v1.32): `yes` is a boolean, `0777`, `0o17` and `0x1F` are integers, `1e3` is a
number, `12:30:45` and `2001-01-01` are strings. The few spellings that PyYAML-based checkers and kubectl
read differently (`1e3_0`, `0X1F`, `1e400`) are an error here: no one can say what they were meant to be.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from functools import lru_cache

from shared.domain.pointer import JsonValue

_WORDS: dict[str, JsonValue] = (
    dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True)
    | dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False)
    | dict.fromkeys(("", "~", "null", "Null", "NULL"), None)
)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[oO]([0-7]+)|0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_COMMON_NUMBER = re.compile(
    r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)|[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
)
_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
MERGE = "<<"


class ScalarError(ValueError):
    """A scalar that has no one meaning; `str(error)` never quotes it."""


@lru_cache(maxsize=8192)
def plain_value(text: str) -> JsonValue:
    """The value of a plain (unquoted, untagged) scalar. Raises ScalarError."""
    first = text[:1]
    if first in "yYnNtTfFoO~":  # also the empty text
        return _WORDS.get(text, text)
    if first in "+-.0123456789":
        return _number_or_text(text)
    if text == MERGE:
        raise ScalarError("a merge key where no mapping is")
    return text


def _number_or_text(text: str) -> JsonValue:
    if _NOT_FINITE.fullmatch(text):
        raise ScalarError("an infinity or NaN, which JSON cannot hold")
    number = _number(text.replace("_", ""))
    if (number is None) == bool(_COMMON_NUMBER.fullmatch(text)):
        raise ScalarError("a number that YAML loaders read differently")
    return text if number is None else number


def _number(plain: str) -> int | float | None:
    """What Go's ParseInt(base 0), ParseUint and ParseFloat make of it; None for text."""
    integer = _INTEGER.fullmatch(plain)
    if integer:
        sign, binary, octal, hexadecimal, old_octal, decimal = integer.groups()
        digits, base = next((d, b) for d, b in ((binary, 2), (octal, 8), (hexadecimal, 16), (old_octal, 8), (decimal, 10)) if d)
        exact = int(digits, base) * (-1 if sign == "-" else 1)
        if _LEAST_INTEGER <= exact <= _GREATEST_INTEGER:
            return exact
        if not decimal or float(plain) != exact:
            raise ScalarError("an integer of more than 64 bits")
        return exact
    return finite(float(plain)) if _FLOAT.fullmatch(plain) else None


def finite(value: float) -> int | float | None:
    """A float as JSON has it: whole numbers as integers; None where it is out of range."""
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _to_binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.splitlines()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ScalarError("a !!binary value that is not Base64 of UTF-8 text") from error


def _to_float(text: str) -> JsonValue:
    value = plain_value(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScalarError("a !!float value that is no number")
    return value


def _of_type(kind: type, tag: str) -> Callable[[str], JsonValue]:
    def convert(text: str) -> JsonValue:
        value = plain_value(text)
        if type(value) is not kind:
            raise ScalarError(f"a !!{tag} value that is none")
        return value

    return convert


_CORE = "tag:yaml.org,2002:"
_TAGGED: dict[str, Callable[[str], JsonValue]] = {
    _CORE + "str": str, _CORE + "timestamp": str, _CORE + "binary": _to_binary, _CORE + "float": _to_float,
    _CORE + "int": _of_type(int, "int"), _CORE + "bool": _of_type(bool, "bool"), _CORE + "null": _of_type(type(None), "null"),
}  # fmt: skip
COLLECTION_TAGS = {_CORE + "map", _CORE + "seq"}


def scalar_value(text: str, style: str | None, tag: str | None) -> JsonValue:
    """The JSON value of a scalar with its style (None: plain) and explicit tag (None: none). Raises ScalarError."""
    if tag is not None:
        if tag not in _TAGGED:
            raise ScalarError("a custom tag, which JSON cannot hold")
        return _TAGGED[tag](text)
    return plain_value(text) if style is None else text


def key_text(value: JsonValue, text: str) -> str:
    """A scalar key as kubectl turns it into JSON, from its value and its text. Raises ScalarError for null and where kubectl rounds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise ScalarError("a null key")
    if isinstance(value, float) and (float(f"{value:.7g}") != value or not 1e-4 <= abs(value) < 1e6):
        raise ScalarError("a key that is a number kubectl rounds")
    if isinstance(value, int) and not _INTEGER.fullmatch(text.replace("_", "")):
        raise ScalarError("a key that is a number kubectl writes differently")
    return str(value)
