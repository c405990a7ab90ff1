"""What a model may not see is replaced by placeholders before anything leaves, and restored after (issue 6, privacy).

A placeholder names its kind, a number in order of appearance and a tag made of the manifest's own content, so the same input gives the same
prompt (answers are cached by content) and a manifest cannot hold one beforehand: text that looks like one is itself replaced. Hiding a
word too many costs nothing, since it comes back; so more is hidden here than in reports.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from shared.domain.errors import ValidationError
from shared.domain.pointer import JsonValue, join, split
from shared.domain.report.credentials import LAST_APPLIED, SECRET_FIELDS, credential_spans, holds_secret, is_credential, is_reference, told
from shared.domain.report.spans import forms

Kind = Literal["secret", "host", "text"]
ANYWHERE = 6
"""Shortest value of a Secret, in characters, that is hidden wherever it turns up; shorter ones only where they stand."""
_TOKEN = re.compile(r"(?<![\w+/=-])[\w+/-]{20,}={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PATH = re.compile(r"/?(?:[A-Za-z][A-Za-z-]*|\d{1,4})(?:/(?:[A-Za-z][A-Za-z-]*|\d{1,4}))+")
"""A pointer or a file's path: each step letters or a small number, which no base64 of this length is."""
_DIGEST = re.compile(r"sha(?:256|512):$")
_BITS = 3.6
"""Shannon entropy, bits per character, from which a token of mixed letters and digits counts as random; words in camel case stay below."""


class Redactor:
    """Replaces and restores for one request. `documents` are the whole file's values: a Secret in it hides its values everywhere.

    `hosts` are internal domains (`corp.example.com` covers every name below it).
    """

    def __init__(self, documents: Iterable[JsonValue] = (), hosts: Iterable[str] = ()) -> None:
        documents = list(documents)
        canonical = json.dumps(documents, sort_keys=True, default=str)
        self._tag = hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:10]
        self._ours = re.compile(rf"redacted-(secret|host|text)-(\d+)-{self._tag}")
        self._values: list[JsonValue] = []
        self._numbers: dict[str, str] = {}
        self._known = _alternatives({text for document in documents for text in _secret_texts(document) if len(text) >= ANYWHERE})
        names = sorted({h.strip().lower().removeprefix("*").strip(".") for h in hosts} - {""}, key=len, reverse=True)
        tail = "|".join(map(re.escape, names))
        self._hosts = re.compile(rf"(?i)(?<![\w-])(?:[\w-]+\.)*(?:{tail})(?![\w-])") if names else None

    def hide(self, value: JsonValue) -> JsonValue:
        """A parsed value with placeholders; its shape stays."""
        if isinstance(value, list):
            return [self._whole(v) if hidden else self.hide(v) for v, hidden in zip(value, told(value), strict=True)]
        if isinstance(value, dict):
            return {self._hide_key(k): self._whole(v) if _hides_all(k, v, value) else self.hide(v) for k, v in value.items()}
        return self.hide_text(value) if isinstance(value, str) else value

    def hide_text(self, text: str) -> str:
        """A text with placeholders for everything in it that may not be seen."""
        return self._replaced(text, [*self._fixed(text), *((*s, "secret") for s in credential_spans(text)), *_random_spans(text)])

    def hide_pointer(self, pointer: str) -> str:
        """A JSON Pointer into a value, as one into the hidden value."""
        return join(self._hide_key(token) for token in split(pointer))

    def restore(self, value: JsonValue) -> JsonValue:
        """A parsed value with what its placeholders stand for. Raises ValidationError for a placeholder that was never given out."""
        if isinstance(value, list):
            return [self.restore(v) for v in value]
        if isinstance(value, dict):
            return {self.restore_text(k): self.restore(v) for k, v in value.items()}
        if not isinstance(value, str):
            return value
        whole = self._ours.fullmatch(value)
        return self._value_of(whole) if whole else self.restore_text(value)

    def restore_text(self, text: str) -> str:
        """A text with what its placeholders stand for. Raises ValidationError as `restore` does."""
        return self._ours.sub(lambda m: str(self._value_of(m)), text)

    def secrets_in(self, value: JsonValue) -> set[str]:
        """The placeholders of secrets in a value that is not restored yet."""
        text = json.dumps(value, ensure_ascii=False)
        return {m[0] for m in self._ours.finditer(text) if m[1] == "secret"}

    def without(self, text: str) -> str:
        """A text for people: placeholders read `***`."""
        return self._ours.sub("***", text)

    def leaks(self, text: str) -> bool:
        """Whether a text that is about to leave still holds a known value of a Secret or an internal host: the last gate."""
        clear = self._ours.sub("", text)
        return any(pattern is not None and pattern.search(clear) for pattern in (self._known, self._hosts))

    def _hide_key(self, key: str) -> str:
        return self._replaced(key, self._fixed(key))

    def _fixed(self, text: str) -> list[tuple[int, int, Kind]]:
        found: list[tuple[int, int, Kind]] = [(*m.span(), "text") for m in self._ours.finditer(text)]
        found += [(*m.span(), "secret") for m in self._known.finditer(text)] if self._known else []
        return found + ([(*m.span(), "host") for m in self._hosts.finditer(text)] if self._hosts else [])

    def _replaced(self, text: str, spans: Iterable[tuple[int, int, Kind]]) -> str:
        pieces, previous = [], 0
        for start, end, kind in _merged(spans):
            pieces += [text[previous:start], self._placeholder(text[start:end], kind)]
            previous = end
        return "".join(pieces) + text[previous:]

    def _whole(self, value: JsonValue) -> JsonValue:
        """Every leaf hidden, whatever it is; the shape stays."""
        if isinstance(value, list):
            return [self._whole(v) for v in value]
        if isinstance(value, dict):
            return {self._hide_key(k): self._whole(v) for k, v in value.items()}
        plain = value is None or (isinstance(value, str) and is_reference(value) and not self._ours.search(value))
        return value if plain else self._placeholder(value, "secret")

    def _placeholder(self, value: JsonValue, kind: Kind) -> str:
        key = json.dumps([kind, value])
        if key not in self._numbers:
            self._values.append(value)
            self._numbers[key] = f"redacted-{kind}-{len(self._values)}-{self._tag}"
        return self._numbers[key]

    def _value_of(self, match: re.Match[str]) -> JsonValue:
        number = int(match[2]) if len(match[2]) < 9 else 0
        if not 0 < number <= len(self._values) or match[0] not in self._numbers.values():
            raise ValidationError("the answer names a placeholder that was never given out")
        return self._values[number - 1]


def _hides_all(key: str, value: JsonValue, owner: dict[str, Any]) -> bool:
    """Whether everything below a member is secret: a Secret's data, literals of a secretGenerator, a setting named like a credential."""
    if (owner.get("kind") == "Secret" and key in SECRET_FIELDS) or key == "secretGenerator":
        return True
    if not isinstance(value, str):
        return False
    named = owner["name"] if key == "value" and isinstance(owner.get("name"), str) else key
    return is_credential(named, value) or (LAST_APPLIED in key and holds_secret(value))


def _secret_texts(value: JsonValue, *, secret: bool = False) -> Iterator[str]:
    """The values of Secrets below a value, in every form in which they may turn up."""
    if isinstance(value, list):
        for item in value:
            yield from _secret_texts(item, secret=secret)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secret_texts(inner, secret=secret or _hides_all(key, inner, value))
    elif secret and isinstance(value, (str, int)) and not isinstance(value, bool) and not is_reference(str(value)):
        yield from forms(str(value))


def _alternatives(texts: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(texts, key=lambda t: (-len(t), t))
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def _merged(spans: Iterable[tuple[int, int, Kind]]) -> list[tuple[int, int, Kind]]:
    """Spans that overlap as one, a secret where one of them is; empty ones left out."""
    merged: list[tuple[int, int, Kind]] = []
    for start, end, kind in sorted(s for s in spans if s[1] > s[0]):
        if merged and start < merged[-1][1]:
            first, last, before = merged[-1]
            merged[-1] = (first, max(last, end), before if before == kind else "secret")
        else:
            merged.append((start, end, kind))
    return merged


def _random_spans(text: str) -> Iterator[tuple[int, int, Kind]]:
    for match in _TOKEN.finditer(text):
        if _looks_random(match[0]) and not _DIGEST.search(text, 0, match.start()):
            yield match.start(), match.end(), "secret"


def _looks_random(token: str) -> bool:
    """By its letters: long hexadecimal, or capitals, small letters and digits mixed evenly; UUIDs and paths are names."""
    if _UUID.fullmatch(token) or _PATH.fullmatch(token):
        return False
    if _HEX.fullmatch(token):
        return True
    mixed = all(re.search(letters, token) for letters in ("[a-z]", "[A-Z]", "[0-9]"))
    return mixed and _entropy(token) >= _BITS


def _entropy(token: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(token).values()
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts)
