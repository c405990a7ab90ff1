"""What looks like a credential, in names, strings and parsed values (DESIGN 5: none of it is ever shown).

Scanners such as detect-secrets judge a line of source by entropy and report it; here the shape must stay and only the value must go, in
JSON leaves too, so the few shapes that manifests hold are named below. Leaning towards hiding: a word too many hidden costs a look into
the file, a word too few costs a password.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from shared.domain.pointer import JsonValue

MASK = "***"
SECRET_FIELDS = ("data", "stringData")
LAST_APPLIED = "last-applied-configuration"

_NAME = (
    r"(?:passw(?:or)?d|(?<=[\w.-])pwd|passphrase|(?:(?<=[_.-])|require)pass(?![\w-])|(?<=[_.-])salt|redis[-_.]?auth|masterauth|token"
    r"|(?:api|access|secret|private|encryption|signing|auth|account|master|licen[cs]e)[-_.]?key"
    r"|secret[-_.]?key[-_.]?base|(?:client|app|shared|webhook|consumer|jwt|session|cookie|hmac)[-_.]?secret|(?<=_)SECRET"
    r"|connection[-_.]?string|conn[-_.]?str|credentials?)"
)
_ENDS_IN_NAME = re.compile(_NAME + r"$", re.IGNORECASE)
_REFERENCE = re.compile(r"\s*(?:\$\{\{?[^{}]+\}?\}|\$\([^()]+\)|%\{[^{}]+\}%?|\{\.[^{}]*\}|true|false|null|~|\**)\s*", re.IGNORECASE)
_PATH = re.compile(r"\s*/[\w./-]*\s*")
_VALUE = r"(?![$%{\[|>&*#<\"'/\\]|-{2}|(?:true|false|null)\b)[^\s\"',;\]}]+"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(://[^\s/:@\"']*):(?![$%{])[^\s/@\"']+@"), rf"\1:{MASK}@"),
    (re.compile(r"(?i)\b(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd|sig)=(?![$%{<*\\])[^;&\s\"']+"), rf"\1={MASK}"),
    (re.compile(r"(://)[\w-]{16,}(?=@)"), rf"\1{MASK}"),
    (re.compile(r"(jdbc:oracle:\w+:[^\s/@]+/)(?![$%{<])[^\s/@]+(?=@)"), rf"\1{MASK}"),
    (re.compile(r"(?i)([?&]secret=)(?![$%{<])[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(rf"(\b(?:requirepass|masterauth)\s+|\bsshpass\s+-p\s*|\b(?:mysql|mariadb)\w*\s[^|;&\n]*?(?<=\s)-p){_VALUE}"), rf"\1{MASK}"),
    (re.compile(rf"((?<![\w-])(?:-u|--user|--basic-?auth[\w-]*)[ =]+[^\s:=/$]+:)(?!\d+\b){_VALUE}"), rf"\1{MASK}"),
    (re.compile(rf"(?i)((?<![\w-])--?[\w-]*{_NAME}[ =]+)(?!-){_VALUE}"), rf"\1{MASK}"),
    (re.compile(rf"(?i)({_NAME}[\"']?\s*[:=]\s*[\"']?){_VALUE}"), rf"\1{MASK}"),
    (re.compile(r"(?i)(\"auth\"\s*:\s*\")[^\"]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(Bearer|Basic)\s+[\w.~+/-]{16,}=*"), rf"\1 {MASK}"),
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|xox[abeprs]-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{30,}"
            r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|sk-[\w-]{20,}|npm_\w{30,}|dckr_pat_[\w-]{20,}|hvs\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})"
        ),
        MASK,
    ),
)
_NAMELESS = tuple(row for row in _PATTERNS if _NAME not in row[0].pattern)
_WORDS = ("pass", "pwd", "token", "key", "secret", "conn", "cred", "salt", "redis", "masterauth")
"""Each name has one of them, however its letters are cased."""


def is_reference(value: str) -> bool:
    """True where a value only points elsewhere (`${VAR}`, `$(VAR)`, `{.data.x}`) or says nothing: not worth hiding."""
    return _REFERENCE.fullmatch(value) is not None


def is_credential(name: str, value: str) -> bool:
    """True for a setting whose name says credential (`DB_PASSWORD`, `apiKey`; not `secretName`), unless it is a reference or a path."""
    return _ENDS_IN_NAME.search(name) is not None and not is_reference(value) and _PATH.fullmatch(value) is None


def told_by_flags(items: Sequence[str | None]) -> list[bool]:
    """Of a list of arguments (None: an item that is no text), which are credentials because the one before names them (`--password`)."""
    before = [None, *items][: len(items)]
    return [
        item is not None and flag is not None and flag.startswith("-") and not item.startswith("-") and is_credential(flag, item)
        for flag, item in zip(before, items, strict=True)
    ]


def told(items: Sequence[JsonValue]) -> list[bool]:
    """The same of a parsed list."""
    return told_by_flags([item if isinstance(item, str) else None for item in items])


def redact(text: str) -> str:
    """A string with everything in it that looks like a credential replaced by `***`; other text stays."""
    for pattern, replacement in _due(text):
        text = pattern.sub(replacement, text)
    return text


def _due(text: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The patterns that can match: most texts hold no name, and looking for names takes longest."""
    folded = text.casefold()
    return _PATTERNS if any(word in folded for word in _WORDS) else _NAMELESS


def credential_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each part of a string that `redact` would hide; they may overlap."""
    found = []
    for pattern, replacement in _due(text):
        for match in pattern.finditer(text):
            head, _, tail = match.expand(replacement).partition(MASK)
            found.append((match.start() + len(head), match.end() - len(tail)))
    return found


def mask_value(value: JsonValue) -> JsonValue:
    """A parsed value with each leaf that carries a credential or a Secret's data reading `***` as a whole."""
    if isinstance(value, list):
        return [MASK if hidden else mask_value(v) for v, hidden in zip(value, told(value), strict=True)]
    if isinstance(value, dict):
        return {k: _mask_member(k, v, value) for k, v in value.items()}
    return MASK if isinstance(value, str) and redact(value) != value else value


def mask_leaves(value: JsonValue) -> JsonValue:
    """Every leaf hidden but null, empty text and references; the shape stays."""
    if isinstance(value, list):
        return [mask_leaves(v) for v in value]
    if isinstance(value, dict):
        return {k: mask_leaves(v) for k, v in value.items()}
    return value if value is None or (isinstance(value, str) and is_reference(value)) else MASK


def holds_secret(last_applied: str) -> bool:
    """True where the text of a `last-applied-configuration` annotation may contain a Secret; unreadable counts as yes."""
    try:
        return '"Secret"' in json.dumps(json.loads(last_applied))
    except ValueError:
        return "Secret" in last_applied


def _mask_member(key: str, value: JsonValue, owner: dict[str, Any]) -> JsonValue:
    if owner.get("kind") == "Secret" and key in SECRET_FIELDS:
        return mask_leaves(value)
    if key == "secretGenerator":
        return _mask_literals(value)
    if not isinstance(value, str):
        return mask_value(value)
    named = owner["name"] if key == "value" and isinstance(owner.get("name"), str) else key
    hidden = is_credential(named, value) or (LAST_APPLIED in key and holds_secret(value))
    return MASK if hidden else mask_value(value)


def _mask_literals(value: JsonValue) -> JsonValue:
    """A kustomization's secretGenerator: `literals` are `key=value` texts."""
    if isinstance(value, list):
        return [_mask_literals(v) for v in value]
    if isinstance(value, dict):
        return {k: mask_leaves(v) if k == "literals" else mask_value(v) for k, v in value.items()}
    return value
