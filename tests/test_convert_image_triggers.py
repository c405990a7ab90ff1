"""`image.openshift.io/triggers` and short names, resolved as OpenShift resolves them; what nobody knows is asked for, all at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from convert_support import FakeLookup, convert, expect_refusal, messages
from test_convert_template import after, run, yaml

STREAM = """
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web}
spec:
  tags:
    - {name: "1", from: {kind: DockerImage, name: "quay.io/acme/web:1.4"}}
    - {name: latest, from: {kind: ImageStreamTag, name: "1"}}
"""


def deployment(*entries: dict[str, Any], image: str = " ", annotations: dict[str, str] | None = None) -> str:
    triggers = {"image.openshift.io/triggers": json.dumps(entries)} if entries else {}
    containers = [{"name": "web", "image": image}, {"name": "side", "image": "docker.io/acme/side:1"}]
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}},
    }
    meta = {"name": "web", "annotations": triggers | (annotations or {})}
    return str(yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}))


def entry(name: str, place: str = "spec.template.spec.containers[0].image", **more: Any) -> dict[str, Any]:
    return {"from": {"kind": "ImageStreamTag", "name": name}, "fieldPath": place, **more}


@pytest.mark.parametrize("place", ["spec.template.spec.containers[0].image", 'spec.template.spec.containers[?(@.name=="web")].image'])
@pytest.mark.parametrize("tag", ["web:1", "web:latest"])
def test_the_stream_says_which_image(place: str, tag: str) -> None:
    result, conversion = convert("image-triggers", deployment(entry(tag, place)), FakeLookup(STREAM))
    assert [c["image"] for c in result["spec"]["template"]["spec"]["containers"]] == ["quay.io/acme/web:1.4", "docker.io/acme/side:1"]
    assert "annotations" not in result["metadata"]
    assert "no rollout by itself" in messages(conversion)


def test_a_paused_entry_changes_no_image() -> None:
    result, _ = convert("image-triggers", deployment(entry("web:1", paused="true"), image="quay.io/own:1"), FakeLookup(STREAM))
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/own:1"


def test_every_unknown_image_is_asked_for_at_once() -> None:
    error = expect_refusal(
        "image-triggers", deployment(entry("a:1"), entry("b:1", "spec.template.spec.containers[1].image"), image="b"), FakeLookup()
    )
    assert [q.key for q in error.questions] == ["images.a:1"]
    blank = deployment(entry("a:1"), entry("b:1", "spec.template.spec.containers[1].image")).replace("docker.io/acme/side:1", "side")
    assert [q.key for q in expect_refusal("image-triggers", blank, FakeLookup()).questions] == ["images.a:1", "images.b:1"]


@pytest.mark.parametrize("entries", [[{"from": {}}], [entry("web:1", "spec.nothing[0].image")], [entry("web:1", "x" * 3)], ["text"]])
def test_an_annotation_that_makes_no_sense_is_refused(entries: list[Any]) -> None:
    assert "image.openshift.io/triggers" in str(expect_refusal("image-triggers", deployment(*entries), FakeLookup(STREAM)))


def test_short_names_follow_streams_where_the_object_asks_for_it() -> None:
    asks = {"alpha.image.policy.openshift.io/resolve-names": "*"}
    result, _ = convert("image-triggers", deployment(image="web", annotations=asks), FakeLookup(STREAM))
    assert result["spec"]["template"]["spec"]["containers"][0]["image"] == "quay.io/acme/web:1.4"


def test_what_the_streams_image_brings_to_light_is_reported_and_does_not_stop_the_fix() -> None:
    stream = STREAM.replace("quay.io/acme/web:1.4", "registry.redhat.io/acme/web:latest")
    done = run(("s.yaml", stream), ("d.yaml", deployment(entry("web:1"))))["d.yaml"]
    assert after(done)[0]["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.redhat.io/acme/web:latest"
    assert {v.rule_id for v in done.outcome.violations if v.path.endswith("/containers/0/image")} >= {"AKS0706", "AKS0710"}
