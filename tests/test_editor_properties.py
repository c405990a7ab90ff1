"""Any edit of any manifest is refused or proven: manifests of every spelling, drawn by hypothesis.

The examples are the same in every run; AKS_EXPLORE=20 draws twenty times as many new ones.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from manifest_support import HEAD, JUDGE, judged_miss, operation

from shared.domain import pointer
from shared.domain.editor import apply_operations, equal, prove
from shared.domain.editor.strings import literal_lines, quoted
from shared.domain.errors import EditRefused
from shared.domain.manifest import Manifest, read_manifest
from shared.domain.manifest.compose import compose, compose_pure
from shared.domain.manifest.values import value_of
from shared.domain.model import PatchOperation

EXPLORE = int(os.environ.get("AKS_EXPLORE", "0"))


def examples(count: int) -> settings:
    """So many examples, always the same ones unless exploring."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=count * (EXPLORE or 1), deadline=None, derandomize=not EXPLORE, suppress_health_check=slow)


KEYS = st.sampled_from(["a", "b", "name", "key", "y", "on", "8080", "x/y", "t~", "with space", "a:b", "é", "- d", "#h"])
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "x",
            "yes",
            "1e3",
            "0o17",
            "null",
            "a: b",
            "a #b",
            "- x",
            "one\ntwo\n",
            "one\ntwo",
            "'q'",
            '"',
            "12:30:45",
            "${X}",
            "{",
            "x, y",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12).filter(lambda text: "{{" not in text),
)
SCALARS = st.one_of(
    TEXTS, st.integers(-(2**40), 2**40), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=8)
TREES = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


class Writer:
    """Spells a value as YAML in one of the many ways that people do."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([2, 4]))
        self.indented = draw(st.booleans())

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def comment(self) -> str:
        return "  # note" if self.chance(15) else ""

    def scalar(self, value: Any, *, flow: bool = False) -> str:
        if value is None and not flow and self.chance(50):
            return ""
        if not isinstance(value, str):
            return {True: "yes", False: "off"}[value] if isinstance(value, bool) and self.chance(30) else quoted_number(value)
        return quoted(value, self.draw(st.sampled_from([None, "'", '"'])), flow=flow)

    def flow(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{quoted(k, flow=True)}: {self.flow(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        return self.scalar(value, flow=True)

    def spread_flow(self, value: Any, indent: int) -> str:
        """Flow on several lines, with comments and perhaps a comma at the end."""
        texts = (
            [f"{quoted(k, flow=True)}: {self.flow(v)}" for k, v in value.items()]
            if isinstance(value, dict)
            else list(map(self.flow, value))
        )
        commas = [","] * (len(texts) - 1) + [self.draw(st.sampled_from(["", ","]))]
        lines = [" " * (indent + 2) + text + comma + self.comment() for text, comma in zip(texts, commas, strict=True)]
        first, last = "{}" if isinstance(value, dict) else "[]"
        return "\n".join([first, *lines, " " * indent + last])

    def blank(self) -> list[str]:
        return self.draw(st.sampled_from([[], [], [], [], [""], ["# stands alone"], ["", "# above"]]))

    def value(self, value: Any, indent: int) -> tuple[str, list[str]]:
        """(the rest of the line of the key, the lines below)."""
        if isinstance(value, dict | list) and value and not self.chance(25):
            return self.comment(), self.collection(value, indent)
        if isinstance(value, dict | list):
            return " " + (self.spread_flow(value, indent) if value and self.chance(40) else self.flow(value)) + self.comment(), []
        literal = literal_lines(value) if isinstance(value, str) and self.chance(70) else None
        if literal:
            return f" {literal[0]}", [" " * indent + line if line else "" for line in literal[1]] + [""] * self.chance(30)
        text = self.scalar(value)
        return (" " + text if text else "") + self.comment(), []

    def collection(self, value: Any, indent: int) -> list[str]:
        lines: list[str] = []
        entries = value.items() if isinstance(value, dict) else [(None, item) for item in value]
        for key, item in entries:
            lines += [" " * indent + line if line else "" for line in self.blank()]
            if key is None:
                lines += self.item(item, indent)
                continue
            dash = isinstance(item, list) and not self.indented
            rest, below = self.value(item, indent if dash else indent + self.step)
            lines += [" " * indent + quoted(key) + ":" + rest, *below]
        return lines

    def item(self, item: Any, indent: int) -> list[str]:
        rest, below = self.value(item, indent + 2)
        if not rest and below and below[0].strip() and not below[0].strip().startswith("#") and self.chance(80):
            return [" " * indent + "- " + below[0].lstrip(" "), *below[1:]]
        return [" " * indent + "-" + rest, *below]


def quoted_number(value: Any) -> str:
    text = {None: "null", True: "true", False: "false"}.get(value) if value is None or isinstance(value, bool) else repr(value)
    assert text is not None
    return text.replace("e", ".0e") if "e" in text and "." not in text and value not in (True, False, None) else text


@st.composite
def json_manifests(draw: st.DrawFn) -> Manifest:
    """One JSON document, on one line or many, tabs or spaces, escapes or none, in a .json or a .yaml file."""
    path = draw(st.sampled_from(["a.json", "a.json", "a.yaml"]))
    indents = [None, 2, 4, "\t"] if path == "a.json" else [None, 2, 4]
    body = {"apiVersion": "v1", "kind": "Thing", **draw(TREES)}
    separators = draw(st.sampled_from([None, (",", ":")])) if path == "a.json" else None
    text = json.dumps(
        body, indent=draw(st.sampled_from(indents)), separators=separators, ensure_ascii=path == "a.json" and draw(st.booleans())
    )
    assume(path == "a.json" or text.isprintable() or "\n" in text)
    end = draw(st.sampled_from(["", "\n"]))
    return read_manifest(path, (text + end).replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode())


@st.composite
def yaml_manifests(draw: st.DrawFn) -> Manifest:
    """One or two documents, any line end, with or without byte order mark and final line end."""
    texts = [HEAD + "\n".join(Writer(draw).collection(draw(TREES), 0)) + "\n" for _ in range(draw(st.integers(1, 2)))]
    text = draw(st.sampled_from(["", "---\n", "# head\n"])) + "---\n".join(texts)
    text = text if draw(st.booleans()) else text.rstrip("\n")
    text = text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))
    return read_manifest("a.yaml", (draw(st.sampled_from(["", "", "\ufeff"])) + text).encode())


def manifests() -> st.SearchStrategy[Manifest]:
    """Anything the editor takes."""
    return st.one_of(yaml_manifests(), yaml_manifests(), json_manifests().filter(lambda manifest: bool(manifest.documents)))


def places(value: Any, path: str) -> list[tuple[str, Any]]:
    found = [(path, value)]
    if isinstance(value, dict | list):
        for token, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, pointer.child(path, token))
    return found


def has_twins(value: Any) -> bool:
    """Whether a list holds the same item twice: then the judge, which matches by value, may take the one for the other."""
    if isinstance(value, dict):
        return any(map(has_twins, value.values()))
    if not isinstance(value, list):
        return False
    texts = [json.dumps(item, sort_keys=True) for item in value]
    return len(set(texts)) < len(texts) or any(map(has_twins, value))


def whole_document(data: st.DataObject, count: int) -> PatchOperation:
    body = {"apiVersion": "v1", "kind": "Thing", **data.draw(TREES)}
    kind = data.draw(st.sampled_from(["add", "remove", "replace"]))
    index = data.draw(st.integers(0, count - (kind != "add")))
    return operation(kind, f"/{index}", *([] if kind == "remove" else [body]))


def drawn_operation(data: st.DataObject, manifest: Manifest) -> PatchOperation:
    path, value = data.draw(st.sampled_from([p for d in manifest.documents for p in places(d.value, f"/{d.index}")[1:]]))
    kind = data.draw(st.sampled_from(["replace", "remove", "add", "document"]))
    if kind == "document":
        return whole_document(data, len(manifest.documents))
    if kind == "remove":
        return operation("remove", path)
    if kind == "add" and isinstance(value, dict):
        return operation("add", pointer.child(path, data.draw(KEYS)), data.draw(VALUES))
    if kind == "add" and isinstance(value, list):
        return operation("add", pointer.child(path, data.draw(st.integers(0, len(value)))), data.draw(VALUES))
    return operation("replace", path, data.draw(VALUES))


@examples(150)
@given(manifest=manifests(), data=st.data())
def test_any_edits_in_a_row_are_refused_or_proven(manifest: Manifest, data: st.DataObject) -> None:
    assert manifest.documents, manifest.reason
    start, operations = manifest, []
    for _ in range(data.draw(st.integers(1, 3))):
        wanted = drawn_operation(data, manifest)
        try:
            after = apply_operations(manifest, [wanted])
        except EditRefused as refusal:
            event(f"refused: {refusal}")
            continue
        manifest = prove(manifest, [wanted], after)
        operations.append(wanted)
        if not manifest.documents:
            break

    at_once = apply_operations(start, operations)

    assert equal([d.value for d in manifest.documents], [d.value for d in prove(start, operations, at_once).documents])


@examples(120)
@given(manifest=manifests(), data=st.data())
def test_any_single_edit_preserves_the_text_for_the_judge(manifest: Manifest, data: st.DataObject) -> None:
    wanted = drawn_operation(data, manifest)
    try:
        after = apply_operations(manifest, [wanted])
    except EditRefused:
        return
    proven = prove(manifest, [wanted], after)

    assert proven.bom == manifest.bom or not after
    if after and JUDGE.is_file() and not any(has_twins(d.value) for d in (*manifest.documents, *proven.documents)):
        assert judged_miss(manifest, [wanted], after) is None


@examples(300)
@given(text=TEXTS, style=st.sampled_from([None, "'", '"']), flow=st.booleans())
def test_a_written_string_is_read_back_by_both_parsers(text: str, style: str | None, flow: bool) -> None:
    written = quoted(text, style, flow=flow)
    line = f"[{written}, {written}]" if flow else f"- {written}\n- {written}\n"

    for parse in (compose, compose_pure):
        assert value_of(parse(line)[0].node) == [text, text]
