"""Scalars written so that kubectl and PyYAML read the same value back (style guide 3.7, rule 14)."""

from __future__ import annotations

import json
import math
import re

import yaml

from shared.domain.errors import EditRefused
from shared.domain.manifest.scalars import ScalarError, plain_value
from shared.domain.pointer import JsonValue

_PLAIN = re.compile(r"(?:[A-Za-z0-9_./$(<^\\=+;]|-(?=[^\s-])|--(?=[^\s-]))[^\x00-\x1f\x7f-\U0010ffff]*")
_FLOW_SAFE = re.compile(r"[A-Za-z0-9_./$()<>^\\=+; -]*(?::[A-Za-z0-9_./$()<>^\\=+;-]+)*")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PYYAML: dict[str, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers


def scalar_text(value: JsonValue, style: str | None = None, *, flow: bool = False, json_text: bool = False) -> str:
    """One line of YAML (or JSON) for a scalar or an empty collection; `style` is the quote to keep, where there was one."""
    if isinstance(value, str):
        return quoted(value, style, flow=flow, json_text=json_text)
    if isinstance(value, float):
        return _float_text(value)
    return json.dumps(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise EditRefused("a value is infinite or NaN, which JSON cannot hold")
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def quoted(text: str, style: str | None = None, *, flow: bool = False, json_text: bool = False) -> str:
    """A string on one line: in the quotes of `style` where given, else plain where that is safe, else in double quotes."""
    if not json_text:
        if style == "'" and _PRINTABLE.fullmatch(text):
            return "'" + text.replace("'", "''") + "'"
        if style != '"' and is_plain(text, flow=flow):
            return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EditRefused("a value holds characters that UTF-8 cannot hold") from error
    return escaped(json.dumps(text, ensure_ascii=False))


def escaped(json_text: str) -> str:
    """JSON text with those characters escaped that JSON allows as they are and YAML does not."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json_text)


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Whether a string can stand without quotes and stays a string for kubectl and for PyYAML's own resolver."""
    if not _PLAIN.fullmatch(text) or text != text.rstrip() or ": " in text or " #" in text or text.endswith(":"):
        return False
    if flow and not _FLOW_SAFE.fullmatch(text):
        return False
    if text.startswith(("---", "...")) or any(pattern.match(text) for _, pattern in _PYYAML.get(text[0], [])):
        return False
    try:
        return isinstance(plain_value(text), str)
    except ScalarError:
        return False


def literal_lines(text: str, *, trailing: bool = False) -> tuple[str, list[str]] | None:
    """Header and lines of a literal block scalar for a string of several lines; None where another form is needed.

    Blanks at the end of a line are shown in quotes, unless `trailing`: the text stood in a block before.
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 2 or not lines[0].strip() or lines[0][0] in " \t" or not lines[-1].strip():
        return None
    if any(
        not _PRINTABLE.fullmatch(line.replace("\t", "")) or line[:1] == "\t" or (line != line.rstrip() and not trailing) for line in lines
    ):
        return None
    return ("|" if text.endswith("\n") else "|-"), lines
