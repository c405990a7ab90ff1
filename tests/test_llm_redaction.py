"""What leaves for a model: no secret, no internal host, no more than the place needs; and everything comes back."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llm_support import POD, RIGHT, ScriptedModel, answer, ask, case_of

from shared.domain.errors import ValidationError
from shared.domain.llm.case import Snippet
from shared.domain.llm.prompt import question, redactor_of
from shared.domain.llm.redaction import Redactor
from shared.domain.pointer import get

PLAIN = "s3cr3t-value-of-shop"
ENCODED = base64.b64encode(PLAIN.encode()).decode()

HIDDEN: dict[str, Any] = {
    "a Secret's data": {"kind": "Secret", "data": {"p": ENCODED}},
    "a Secret's text": {"kind": "Secret", "stringData": {"p": PLAIN}},
    "nested wrongly": {"kind": "Secret", "stringData": {"p": [PLAIN, {"q": PLAIN}]}},
    "a Secret in a List": {"kind": "List", "items": [{"kind": "Secret", "stringData": {"p": PLAIN}}]},
    "environment": {"env": [{"name": "DB_PASSWORD", "value": PLAIN}]},
    "argument": {"args": [f"--db-password={PLAIN}"]},
    "argument after its flag": {"args": ["--db-password", PLAIN]},
    "shell": {"command": ["sh", "-c", f"mysql --password {PLAIN} -h db"]},
    "address": {"value": f"postgres://shop:{PLAIN}@db/shop"},
    "connection string": {"value": f"AccountName=x;AccountKey={PLAIN};EndpointSuffix=y"},
    "header": {"value": f"Authorization: Bearer {PLAIN}"},
    "annotation": {"metadata": {"annotations": {"example.com/api-token": PLAIN}}},
    "last-applied": {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": f'{{"kind":"Secret","data":"{PLAIN}"}}'}}
    },
    "secretGenerator": {"secretGenerator": [{"name": "db", "literals": [f"user={PLAIN}"]}]},
    "private key": {"tls": {"x": f"-----BEGIN PRIVATE KEY-----\n{PLAIN}\n-----END PRIVATE KEY-----"}},
    "repeated elsewhere": {"a": {"kind": "Secret", "stringData": {"p": PLAIN}}, "note": f"it is {PLAIN}!"},
    "decoded elsewhere": {"a": {"kind": "Secret", "data": {"p": ENCODED}}, "note": f"it is {PLAIN}!"},
    "as a key": {"a": {"kind": "Secret", "data": {"p": ENCODED}}, PLAIN: 1},
}


@pytest.mark.parametrize("value", HIDDEN.values(), ids=HIDDEN.keys())
def test_nothing_secret_leaves_and_everything_comes_back(value: Any) -> None:
    redactor = Redactor([value])
    hidden = redactor.hide(value)
    assert PLAIN not in json.dumps(hidden)
    assert ENCODED not in json.dumps(hidden)
    assert "redacted-secret-1-" in json.dumps(hidden)
    assert redactor.restore(hidden) == value


RANDOM = ["wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "AbC9dEf8GhI7jKl6MnO5pQr4="]


@pytest.mark.parametrize("token", RANDOM)
def test_random_looking_tokens_are_hidden_wherever_they_stand(token: str) -> None:
    hidden = Redactor().hide_text(f"run --with {token} now")
    assert token not in hidden
    assert hidden.startswith("run --with redacted-secret-1-")


KEPT = [
    "registry.example.com/shop@sha256:" + "ab" * 32,
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "/subscriptions/x/resourceGroups/y",
    "nginx.ingress.kubernetes.io/proxy-body-size",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "$(DB_PASSWORD)",
    "my-application-with-a-long-name-7d9f8b6c5d",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_says_what_the_object_is_stays(text: str) -> None:
    assert Redactor().hide({"x": text}) == {"x": text}


@pytest.mark.parametrize(
    "pointer",
    [
        "/spec/template/spec/containers/0/securityContext/privileged",
        "/spec/jobTemplate/spec/template/spec/containers/12/resources/limits",
        "/spec/values/ingress/main/annotations/nginx.ingress.kubernetes.io~1auth-url",
    ],
)
def test_a_pointer_stays_readable_and_a_token_with_slashes_does_not(pointer: str) -> None:
    redactor = Redactor([{}])
    assert redactor.hide_pointer(pointer) == pointer
    assert redactor.hide_text(f"{pointer} would change.") == f"{pointer} would change."
    assert "wJalrXUtn" not in redactor.hide_text("key /wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY7 here")


def test_a_pointer_through_a_secret_key_is_one_into_what_is_shown() -> None:
    obj = {"metadata": {"annotations": {"s3cr3t-of-the-shop": "x"}}}
    redactor = Redactor([{"kind": "Secret", "stringData": {"a": "s3cr3t-of-the-shop"}}])
    pointer = redactor.hide_pointer("/metadata/annotations/s3cr3t-of-the-shop")
    assert "s3cr3t" not in pointer
    assert get(redactor.hide(obj), pointer) == "x"
    assert redactor.restore_text(pointer) == "/metadata/annotations/s3cr3t-of-the-shop"


def test_configured_hosts_are_hidden_with_every_name_below_them() -> None:
    redactor = Redactor([], ["corp.example.com", "*.intern.local"])
    text = "db.corp.example.com, CORP.example.com, a.intern.local; notcorp.example.com corp.example.community"
    hidden = redactor.hide_text(text)
    assert "intern.local" not in hidden
    assert hidden.lower().count("corp.example.com") == 2, "other domains that only look alike stay"
    assert hidden.endswith("notcorp.example.com corp.example.community")
    assert redactor.restore_text(hidden) == text


@pytest.mark.parametrize(
    "text", ["*.corp.example.com", ".corp.example.com,10.0.0.0/8", "https://GIT.Corp.Example.Com/x", "x=corp.example.com:443"]
)
def test_a_configured_host_is_hidden_behind_a_wildcard_a_dot_and_in_any_case(text: str) -> None:
    redactor = Redactor([], ["corp.example.com"])
    assert "corp" not in redactor.hide_text(text).lower()
    assert redactor.restore_text(redactor.hide_text(text)) == text
    assert redactor.leaks(text)


def test_a_value_of_a_secret_in_another_file_is_known_by_its_look_or_name_only() -> None:
    """A known limit (docs/model-boundary.md): the other file is not at hand where a batch is looked at."""
    redactor = Redactor([{"kind": "ConfigMap", "metadata": {"annotations": {"note": "plain words"}}}])
    assert redactor.hide_text("plain words") == "plain words"
    assert redactor.hide({"env": [{"name": "DB_PASSWORD", "value": "plain words"}]}) != {
        "env": [{"name": "DB_PASSWORD", "value": "plain words"}]
    }


def test_equal_values_get_equal_placeholders_and_the_same_input_the_same_ones() -> None:
    value = {"kind": "Secret", "stringData": {"a": PLAIN, "b": PLAIN, "c": "other-value"}}
    first, second = Redactor([value]).hide(value), Redactor([value]).hide(value)
    assert first == second
    assert first["stringData"]["a"] == first["stringData"]["b"] != first["stringData"]["c"]


def test_a_number_of_a_secret_comes_back_as_a_number() -> None:
    value = {"kind": "Secret", "stringData": {"a": 12345678, "b": "12345678", "c": True, "d": None}}
    redactor = Redactor([value])
    hidden = redactor.hide(value)
    assert "12345678" not in json.dumps(hidden)
    assert [type(v) for v in redactor.restore(hidden)["stringData"].values()] == [int, str, bool, type(None)]


def test_a_placeholder_that_was_never_given_out_is_an_error() -> None:
    redactor = Redactor([{"a": 1}])
    tag = redactor.hide({"password": PLAIN})["password"].rpartition("-")[2]
    for made_up in (f"redacted-secret-2-{tag}", f"redacted-host-1-{tag}", f"redacted-secret-0-{tag}", f"redacted-secret-{'9' * 40}-{tag}"):
        with pytest.raises(ValidationError, match="never given out"):
            redactor.restore({"x": made_up})


def test_text_that_looks_like_a_placeholder_is_itself_replaced() -> None:
    redactor = Redactor([{"a": 1}])
    planted = redactor.hide({"password": PLAIN})["password"]
    hidden = redactor.hide({"note": f"give me {planted} please"})
    assert planted not in hidden["note"]
    assert redactor.restore(hidden) == {"note": f"give me {planted} please"}


SECRETS = st.text(min_size=1, max_size=40)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=60), st.sampled_from([PLAIN, f"a {PLAIN} b", "x.corp.io", *RANDOM])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=12
)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.dictionaries(st.sampled_from("abc"), SECRETS, min_size=1))
def test_the_round_trip_is_exact_and_no_value_of_a_secret_leaves(value: Any, secrets: dict[str, str]) -> None:
    whole = {"secret": {"kind": "Secret", "stringData": {**secrets, "p": PLAIN}}, "rest": value, "note": "; ".join(secrets.values())}
    redactor = Redactor([whole], ["corp.io"])
    hidden = redactor.hide(whole)
    assert redactor.restore(hidden) == whole
    assert not redactor.leaks(json.dumps(hidden, ensure_ascii=False))
    assert PLAIN not in json.dumps(hidden)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["redacted-", "secret-", "1-", "TAG", " ", PLAIN, "password=", "host-2-", RANDOM[0], "x"]), max_size=12))
def test_no_text_of_placeholder_parts_breaks_the_round_trip(parts: list[str]) -> None:
    redactor = Redactor([{"a": 1}])
    tag = redactor.hide({"password": PLAIN})["password"].rpartition("-")[2]
    text = "".join(parts).replace("TAG", tag)
    assert redactor.restore_text(redactor.hide_text(text)) == text


def test_the_whole_prompt_holds_no_secret_no_host_and_no_comment() -> None:
    secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{p: {PLAIN}}}\n"
    text = POD.replace("value: live", f"value: {PLAIN}") + secret
    model = ScriptedModel("the answer is no JSON", answer(("remove", "/spec/replicas")), RIGHT)
    snippets = [Snippet("a", "b", f"somebody wrote {PLAIN} and correct-horse-battery here; ask git.corp.example.com")]
    result = ask(model, text, snippets=snippets, hosts=["corp.example.com", "registry.example.com"])
    assert result.status == "accepted"
    assert (result.data or b"").decode() == text.replace("      runtimeClassName: nvidia  # of the old nodes\n", "")
    for kept_back in (PLAIN, "correct-horse-battery", "corp.example.com", "registry.example.com", "of the old nodes"):
        assert kept_back not in model.seen
    assert "redacted-secret-" in model.seen
    assert "redacted-host-" in model.seen


def test_the_last_gate_stops_what_a_mistake_would_let_out() -> None:
    """The gate is tried with a redactor that hides nothing."""
    secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{p: {PLAIN}}}\n"
    case = case_of(POD.replace("runtimeClassName: nvidia", f"hostname: {PLAIN}\n      runtimeClassName: nvidia") + secret)
    redactor = redactor_of(case)
    assert question(case, redactor)
    redactor.hide = lambda value: value  # type: ignore[method-assign]
    with pytest.raises(ValidationError, match="would carry a secret"):
        question(case, redactor)
