"""What a spelling means: exactly what kubectl makes of it, which the last test asks kubectl itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from manifest_support import HEAD, JUDGE, judge, thing

from shared.domain.editor import equal

MEANINGS: list[tuple[str, Any]] = [
    # booleans of YAML 1.1, whatever their case
    ("yes", True), ("Yes", True), ("YES", True), ("on", True), ("y", True), ("Y", True), ("true", True), ("True", True),
    ("no", False), ("off", False), ("OFF", False), ("n", False), ("N", False), ("FALSE", False),
    ("yEs", "yEs"), ("'yes'", "yes"), ('"no"', "no"), ("oN", "oN"),
    # null
    ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nUll", "nUll"), ("''", ""),
    # integers
    ("0", 0), ("12", 12), ("+12", 12), ("-12", -12), ("1_000", 1000), ("1__0", 10), ("1_", 1), ("_1", "_1"),
    ("010", 8), ("0777", 511), ("-0777", -511), ("08", 8), ("09", 9), ("0o17", 15), ("-0o7", -7), ("0o9", "0o9"), ("0x1F", 31),
    ("+0x1f", 31), ("0b11", 3), ("-0b11", -3), ("0b12", "0b12"), ("0_8", 8), ("18446744073709551615", 2**64 - 1),
    ("100000000000000000000", 10**20),
    # floats
    ("1.5", 1.5), ("1.", 1), (".5", 0.5), ("-.5", -0.5), ("1e3", 1000), ("1E3", 1000), ("1e+3", 1000), ("12e03", 12000), ("1.5E+3", 1500),
    ("1e-3", 0.001), ("09.5", 9.5), ("1.0", 1), ("0.10000000000000000001", 0.1),
    # neither numbers nor dates
    ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("190:20:30", "190:20:30"), ("2001-01-01", "2001-01-01"),
    ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"), ("1.2.3", "1.2.3"), ("1e", "1e"), ("0x", "0x"), ("0b", "0b"), (".", "."), ("+", "+"),
    (".e5", ".e5"), ("1.5.", "1.5."), ("=", "="), ("v1", "v1"), ("100m", "100m"), ("1Gi", "1Gi"), ("${VAR}", "${VAR}"), (".inf_", ".inf_"),
    # quoting, folding, tags
    ("'it''s'", "it's"), (r'"a\tb\x41\u00e9"', "a\tbAé"), ("|\n    one\n    two\n", "one\ntwo\n"), (">-\n    one\n    two\n", "one two"),
    ("|+\n    one\n", "one\n\n"), ("one\n    two", "one two"), ("!!str 12", "12"), ("!!str", ""), ("!!int '12'", 12), ("!!float 1", 1),
    ("!!bool 'yes'", True), ("!!null ''", None), ("!!binary aGVsbG8=", "hello"), ("!!timestamp 2001-01-01", "2001-01-01"),
    ("!!map {p: 1}", {"p": 1}), ("!!seq [1]", [1]),
    # collections
    ("{}", {}), ("[]", []), ("{p: , q}", {"p": None, "q": None}), ("[1, 'a', {b: no}]", [1, "a", {"b": False}]),
    # keys as JSON has them
    ("{yes: 1}", {"true": 1}), ("{off: 1}", {"false": 1}),
    ("{12: 1, 0x10: 2, 010: 3}", {"12": 1, "16": 2, "8": 3}), ("{1.5: 1}", {"1.5": 1}),
    ("{2001-01-01: 1}", {"2001-01-01": 1}), ("{'~': 1, '12': 2}", {"~": 1, "12": 2}), ('{"<<": {p: 1}}', {"<<": {"p": 1}}),
    # anchors, aliases, merges
    ("{p: &x [1], q: *x}", {"p": [1], "q": [1]}), ("{p: &x {b: 1}, q: {<<: *x, c: 2}}", {"p": {"b": 1}, "q": {"b": 1, "c": 2}}),
    ("{<<: {b: 1, c: 1}, b: 2}", {"b": 2, "c": 1}), ("{<<: [{b: 1}, {b: 2, c: 2}], d: 3}", {"b": 1, "c": 2, "d": 3}),
    ("{p: &x {b: 1}, q: &y {<<: *x, c: 2}, r: {<<: *y}}", {"p": {"b": 1}, "q": {"b": 1, "c": 2}, "r": {"b": 1, "c": 2}}),
]  # fmt: skip

UNCLEAR = [
    ("0X1F", "a number that YAML loaders read differently"),
    ("0B11", "a number that YAML loaders read differently"),
    ("1e3_0", "a number that YAML loaders read differently"),
    ("1e400", "a number that YAML loaders read differently"),
    ("0x_", "a number that YAML loaders read differently"),
    ("0xFFFFFFFFFFFFFFFFF", "an integer of more than 64 bits"),
    ("100000000000000000001", "an integer of more than 64 bits"),
    (".inf", "an infinity or NaN, which JSON cannot hold"),
    ("-.INF", "an infinity or NaN, which JSON cannot hold"),
    (".nan", "an infinity or NaN, which JSON cannot hold"),
    ("<<", "a merge key where no mapping is"),
    ("!foo 1", "a custom tag, which JSON cannot hold"),
    ("!Ref {b: 1}", "a custom tag, which JSON cannot hold"),
    ("!!set {b, c}", "a custom tag, which JSON cannot hold"),
    ("!!int x", "a !!int value that is none"),
    ("!!float yes", "a !!float value that is no number"),
    ("!!binary gA==", "a !!binary value that is not Base64 of UTF-8 text"),
    ("!!binary 'a b'", "a !!binary value that is not Base64 of UTF-8 text"),
    ("{~: 1}", "a null key"),
    ("{[a]: 1}", "a key that is no scalar"),
    ("{1.0: 1}", "a key that is a number kubectl writes differently"),
    ("{1e3: 1}", "a key that is a number kubectl writes differently"),
    ("{123456789.5: 1}", "a key that is a number kubectl rounds"),
    ("{b: 1, b: 2}", "duplicate key 'b'"),
    ("{yes: 1, true: 2}", "duplicate key 'true'"),
    ("{12: 1, '12': 2}", "duplicate key '12'"),
    ("{<<: {b: 1}, <<: {c: 1}}", "duplicate key '<<'"),
    ("{b: 1, <<: {b: 2}}", "a merge below a key that it overrides, which YAML loaders read differently"),
    ("{<<: [1]}", "a merge key whose value is no mapping"),
    ("{<<: x}", "a merge key whose value is no mapping"),
    ("*x", "an alias of an anchor that is not there"),
    ("&x [*x]", "an alias inside the node it stands for"),
]


@pytest.mark.parametrize(("spelling", "meaning"), MEANINGS)
def test_a_spelling_means_what_kubectl_says(spelling: str, meaning: Any) -> None:
    manifest = thing(f"spec:\n  - {spelling}\n")

    assert manifest.status == "manifest", manifest.reason
    assert equal([meaning], manifest.documents[0].value["spec"])


@pytest.mark.skipif(not JUDGE.is_file(), reason="no judge beside the project")
@pytest.mark.parametrize(("spelling", "meaning"), MEANINGS)
def test_the_judge_reads_the_same(spelling: str, meaning: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{HEAD}spec:\n  - {spelling}\n", encoding="utf-8")

    assert equal([meaning], judge().documents(file)[0]["spec"])


@pytest.mark.parametrize(("spelling", "reason"), UNCLEAR)
def test_what_has_no_one_meaning_is_refused_with_its_line(spelling: str, reason: str) -> None:
    manifest = thing(f"spec:\n  - {spelling}\n")

    assert manifest.status == "refused"
    assert manifest.reason == f"Line 4: {reason} (holds Thing)."
    assert manifest.documents == ()


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")
def test_kubectl_agrees_with_the_whole_table(tmp_path: Path) -> None:
    texts = [f"{HEAD}metadata: {{name: n{i}}}\nspec:\n  - {spelling}\n" for i, (spelling, _) in enumerate(MEANINGS)]
    file = tmp_path / "a.yaml"
    file.write_text("---\n".join(texts), encoding="utf-8")
    done = subprocess.run(["kubectl", "annotate", "--local", "-f", file, "x=1", "-o", "json"], capture_output=True, text=True, check=True)

    specs = [found["spec"] for found in json_stream(done.stdout)]

    # kubectl prints integers beyond 64 bits as floats
    assert [
        m for m, spec in zip(MEANINGS, specs, strict=True) if not equal([m[1]], spec) and not (isinstance(m[1], int) and m[1] > 2**63)
    ] == []


def json_stream(text: str) -> list[Any]:
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found
