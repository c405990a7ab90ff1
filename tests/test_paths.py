"""Patterns over objects: wildcards, PodSpec shorthands, wrong shapes."""

from __future__ import annotations

import pytest

from shared.domain.paths import containers, expand, metadata_places, pod_spec

DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"annotations": {"a/b": "1"}},
    "spec": {
        "template": {
            "metadata": {"labels": {"x": "y"}},
            "spec": {
                "containers": [{"name": "a"}, {"name": "b", "image": "i"}],
                "initContainers": [{"image": "j"}],
                "nodeSelector": {"k": "v"},
            },
        }
    },
}


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("/metadata/annotations/a~1b", ["/metadata/annotations/a~1b"]),
        ("/metadata/annotations/*", ["/metadata/annotations/a~1b"]),
        ("/metadata/labels/x", []),
        ("/metadata/labels", ["/metadata/labels"]),
        ("$pod/nodeSelector", ["/spec/template/spec/nodeSelector"]),
        (
            "$containers/image",
            [
                "/spec/template/spec/containers/0/image",
                "/spec/template/spec/containers/1/image",
                "/spec/template/spec/initContainers/0/image",
            ],
        ),
        ("$meta/labels", ["/metadata/labels", "/spec/template/metadata/labels"]),
        ("$pod", ["/spec/template/spec"]),
    ],
)
def test_expand(pattern: str, paths: list[str]) -> None:
    assert expand(DEPLOYMENT, pattern) == paths


@pytest.mark.parametrize(
    "obj",
    [
        {"kind": "Deployment"},
        {"kind": "Deployment", "spec": None},
        {"kind": "Deployment", "spec": []},
        {"kind": "Pod", "spec": "x"},
        {"kind": "Pod", "spec": {"containers": "no list"}},
        {"kind": "Pod", "spec": {"containers": [1, None]}},
        {"kind": ["odd"]} | {"kind": "ConfigMap"},
    ],
)
def test_wrong_shapes_give_nothing(obj: dict[str, object]) -> None:
    assert list(containers(obj)) == []
    assert expand(obj, "$containers/image") == []


def test_pod_and_template_places() -> None:
    assert pod_spec({"kind": "Pod", "spec": {}}) == "/spec"
    assert metadata_places({"kind": "Pod", "metadata": {}, "spec": {}}) == ["/metadata"]
    cron = {"kind": "CronJob", "metadata": {}, "spec": {"jobTemplate": {"spec": {"template": {"metadata": {}, "spec": {}}}}}}
    assert metadata_places(cron) == ["/metadata", "/spec/jobTemplate/spec/template/metadata"]
