"""The part of an object that a model sees: the way to a place and what stands beside it, and nothing of what programs are started with."""

from __future__ import annotations

import pytest
from llm_support import PLACE, POD, case_of

from shared.domain.errors import ValidationError
from shared.domain.llm.slices import ELIDED, LIMIT, slice_of


def test_the_slice_is_the_way_to_the_place_and_what_stands_beside_it() -> None:
    shown = slice_of(case_of().obj, PLACE)
    assert shown["metadata"] == {"name": "shop", "namespace": "team-a"}
    assert shown["spec"]["selector"] == ELIDED
    assert shown["spec"]["template"]["metadata"] == ELIDED
    assert shown["spec"]["template"]["spec"]["runtimeClassName"] == "nvidia"


def test_a_long_neighbour_is_left_out_and_a_short_one_shown() -> None:
    shown = slice_of(case_of(POD.replace("runtimeClassName:", "nodeSelector: {a: b}\n      runtimeClassName:")).obj, PLACE)["spec"][
        "template"
    ]["spec"]
    assert shown == {"nodeSelector": {"a": "b"}, "runtimeClassName": "nvidia", "containers": ELIDED}


def test_of_what_a_program_is_started_with_only_names_and_plain_numbers_are_shown_beside_a_place() -> None:
    env = [
        {"name": "PIN", "value": "correct horse"},
        {"name": "DEBUG", "value": "true"},
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
    ]
    container = {"name": "a", "env": env, "args": ["--motd=horse", "--port=80", "-Xmx2g"], "resources": {}}
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    shown = slice_of(obj, "/spec/containers")["spec"]["containers"][0]
    assert shown["env"] == [{"name": "PIN", "value": ELIDED}, env[1], env[2]]
    assert shown["args"] == [ELIDED, "--port=80", "-Xmx2g"]
    assert slice_of(obj, "/spec/containers/0/env/0/value")["spec"]["containers"][0]["env"][0] == env[0], (
        "what the finding is about is shown"
    )


def test_items_beside_the_way_keep_their_index_and_name_only() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "tty": True}]},
    }
    assert slice_of(obj, "/spec/containers/1/tty")["spec"]["containers"] == [{"name": "a"}, {"name": "b", "tty": True}]


def test_a_place_in_metadata_shows_metadata() -> None:
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "p", "annotations": {"a": "b"}}, "spec": {"type": "x"}}
    assert slice_of(obj, "/metadata/annotations/a") == {**obj, "spec": ELIDED}


def test_what_is_too_large_is_not_asked() -> None:
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "p"}, "spec": {"type": "x", "ports": ["y" * LIMIT]}}
    assert slice_of(obj, "/spec/type")["spec"] == {"type": "x", "ports": ELIDED}
    with pytest.raises(ValidationError, match="too large"):
        slice_of(obj, "/spec/ports")
