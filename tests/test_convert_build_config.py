"""BuildConfigs: what `az acr build` says in their place, what it cannot, and the streams that their images are known by."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from convert_support import FakeLookup, expect_refusal, messages
from test_convert_template import run

from shared.domain.convert import CONVERSIONS, Conversion

ANSWERED = {"images.web:latest": "shop.azurecr.io/web:1.4"}


def build(docker: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    whole = {
        "source": {"type": "Git", "git": {"uri": "https://github.com/acme/web.git"}},
        "strategy": {"type": "Docker", "dockerStrategy": docker or {}},
        "output": {"to": {"kind": "ImageStreamTag", "name": "web:latest"}},
    }
    return {"apiVersion": "build.openshift.io/v1", "kind": "BuildConfig", "metadata": {"name": "web"}, "spec": whole | spec}


def converted(obj: dict[str, Any], decisions: dict[str, Any] | None = None) -> Conversion:
    return CONVERSIONS["build-config"](obj, FakeLookup(decisions=ANSWERED if decisions is None else decisions))


def command(obj: dict[str, Any]) -> str:
    return converted(obj).resources[0].command


def test_the_command_says_what_the_build_said() -> None:
    git = {"git": {"uri": "https://github.com/acme/web.git", "ref": "main"}, "contextDir": "/app/"}
    docker = {"dockerfilePath": "Dockerfile.prod", "buildArgs": [{"name": "VERSION", "value": "a b"}]}
    assert command(build(docker, source=git)) == (
        "az acr build --registry shop --image web:1.4 --file Dockerfile.prod --build-arg 'VERSION=a b' 'https://github.com/acme/web.git#main:app'"
    )
    assert command(build()) == "az acr build --registry shop --image web:1.4 https://github.com/acme/web.git"


def test_another_registry_is_pushed_to_by_docker() -> None:
    other = build(output={"to": {"kind": "DockerImage", "name": "quay.io/acme/web:1"}})
    assert command(other) == "docker build --tag quay.io/acme/web:1 https://github.com/acme/web.git && docker push quay.io/acme/web:1"


def test_what_the_command_cannot_say_is_a_loss() -> None:
    docker = {"from": {"kind": "ImageStreamTag", "name": "node:20"}, "env": [{"name": "A", "value": "b"}]}
    said = messages(converted(build(docker, triggers=[{"type": "GitHub"}], postCommit={"script": "npm test"})))
    for part in ("no build by itself", "tested the new image", "last FROM", "ENV after FROM"):
        assert part in said


@pytest.mark.parametrize(
    ("kind", "said"), [("Source", "s2i/assemble"), ("Custom", "ACR task"), ("JenkinsPipeline", "GitHub Actions workflow")]
)
def test_other_builds_go_when_a_person_says_where_they_are_now(kind: str, said: str) -> None:
    obj = build(strategy={"type": kind})
    error = expect_refusal("build-config", yaml.safe_dump(obj), FakeLookup())
    assert said in str(error)
    assert error.question is not None
    assert error.question.key == "builds.web"
    assert converted(obj, {"builds.web": ".github/workflows/web.yaml"}).operations[0].op == "remove"


def test_where_the_image_lies_is_asked_for_by_its_streams_name() -> None:
    error = expect_refusal("build-config", yaml.safe_dump(build()), FakeLookup())
    assert error.question is not None
    assert (error.question.key, error.question.example) == ("images.web:latest", "myregistry.azurecr.io/web:1.4.2")


def test_the_question_and_its_sample_name_the_image_as_the_key_does() -> None:
    error = expect_refusal("build-config", yaml.safe_dump(build() | {"metadata": {"name": "api", "namespace": "shop"}}), FakeLookup())
    assert error.question is not None
    assert error.question.key == "images.shop/web:latest"
    assert error.question.question == "Which image, with its registry, is shop/web:latest?"


STREAM = """
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: web}
"""
CONFIG = """
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: web}
spec:
  replicas: 1
  selector: {app: web}
  triggers: [{type: ImageChange, imageChangeParams: {containerNames: [web], from: {name: "web:latest"}}}]
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: " "}]}
"""


def test_one_answer_settles_build_stream_and_workload() -> None:
    files = (("bc.yaml", yaml.safe_dump(build())), ("is.yaml", STREAM), ("dc.yaml", CONFIG))
    asked = run(*files)
    assert {q.key for p in asked.values() for q in p.outcome.questions if q.key.startswith("images")} == {"images.web:latest"}
    assert [v.rule_id for v in asked["is.yaml"].outcome.violations] == ["AKS0321"]
    answers = (".aks-copilot.yaml", "version: 1\nimages: {'web:latest': 'shop.azurecr.io/web:1.4'}\n")
    done = run(answers, *files)
    assert (done["bc.yaml"].data, done["is.yaml"].data) == (None, None)
    assert yaml.safe_load(done["dc.yaml"].data or b"")["kind"] == "Deployment"


def test_a_stream_stays_while_something_may_need_it() -> None:
    answers = (".aks-copilot.yaml", "version: 1\nimages: {'web:latest': 'shop.azurecr.io/web:1.4'}\n")
    closed = """
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: t}
parameters: [{name: X, required: true}]
objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: "${X}"}}]
"""
    local = STREAM + "spec: {lookupPolicy: {local: true}}\n"
    for files in ((("is.yaml", STREAM), ("t.yaml", closed)), (("is.yaml", local),)):
        done = run(answers, ("dc.yaml", CONFIG), *files)
        assert [v.rule_id for v in done["is.yaml"].outcome.violations] == ["AKS0321"]
        assert done["is.yaml"].data is not None
