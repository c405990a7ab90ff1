"""The frozen setup of a run: index, source detection, decisions, run id."""

from __future__ import annotations

import json

import pytest

from shared.domain.decisions import answer, read_decisions, skeleton
from shared.domain.errors import ValidationError
from shared.domain.facts import Facts
from shared.domain.intake import plan_run
from shared.domain.model import Question
from shared.domain.run import RunOptions, RunSetup, SourceFile, app_name

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
    "spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n"
)
PODS = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {matchLabels: {app: web}}\n"
    "  template:\n    metadata: {labels: {app: web}}\n"
    "    spec: {containers: [{name: a, image: b, ports: [{name: http, containerPort: 8080}]}]}\n"
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\nstringData: {password: correct-horse-battery}\n"
ROUTE = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: r}\nspec: {to: {kind: Service, name: web}}\n"


def setup_of(*texts: str, **options: object) -> RunSetup:
    files = [SourceFile(f"{i}.yaml", text.encode()) for i, text in enumerate(texts)]
    return plan_run(files, RunOptions("app", **options))  # type: ignore[arg-type]


def test_rules_see_the_service_and_the_ports_of_its_pods() -> None:
    facts = Facts(setup_of(SERVICE, PODS))
    assert facts.service("shop", "web") == {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}
    assert facts.workload_ports("shop", {"app": "web"}) == {"http": 8080}
    assert facts.workload_ports("shop", {"app": "other"}) == {}
    assert facts.selected_values("shop", "app") == {"web"}
    assert facts.service(None, "web") is not None, "a Route without a namespace meets the one Service of that name"
    assert facts.service("elsewhere", "web") is None


def test_the_setup_survives_json_and_holds_no_secret_value() -> None:
    setup = setup_of(SERVICE, SECRET)
    text = json.dumps(setup.to_json())
    assert RunSetup.from_json(json.loads(text)) == setup
    assert "correct-horse-battery" not in text
    assert Facts(setup).find("Secret", None, "s") is not None


def test_source_is_detected_with_evidence_that_names_the_file() -> None:
    source = setup_of(SERVICE, ROUTE).source
    assert source.profile == "okd"
    assert "kind route.openshift.io/Route in 1.yaml" in source.evidence


def test_the_users_choice_wins_over_the_record_and_the_record_over_detection() -> None:
    files = [SourceFile("r.yaml", ROUTE.encode()), SourceFile(".aks-copilot.yaml", b"version: 1\nsource: k3s\n")]
    assert plan_run(files, RunOptions("app")).source.profile == "k3s"
    assert plan_run(files, RunOptions("app", "generic")).source.profile == "generic"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "mars"}, "unknown source 'mars'"),
        ({"target": "- a"}, "target: not a mapping"),
        ({"target": "colour: red"}, "target:1: colour:"),
    ],
)
def test_wrong_options_are_one_clear_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        setup_of(SERVICE, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_same_input_is_the_same_run_and_another_is_another() -> None:
    assert setup_of(SERVICE).run_id == setup_of(SERVICE).run_id
    assert setup_of(SERVICE).run_id != setup_of(PODS).run_id
    assert setup_of(SERVICE).run_id != setup_of(SERVICE, source="okd").run_id
    assert setup_of(SERVICE).run_id.startswith("app-")


@pytest.mark.parametrize(("text", "name"), [("My_App 2", "my-app-2"), ("", "app"), ("x" * 60, "x" * 40), ("..", "app")])
def test_app_name(text: str, name: str) -> None:
    assert app_name(text) == name


def test_the_skeleton_reads_back_and_answers_take_effect() -> None:
    questions = [
        Question("registries.[r.svc:5000]", "Which registry?", "x.azurecr.io"),
        Question("hostnames.web", "Which host?", "web.example.com"),
    ]
    text = skeleton("okd", questions)
    assert {k: v for k, v in read_decisions(text.encode()).items() if k != "open"} == {"version": 1, "source": "okd"}
    answered = "\n".join(line.removeprefix("# ") if line.startswith(("# registries", '#   "r.svc')) else line for line in text.splitlines())
    answered = answered.replace('#   "r.svc', '  "r.svc')
    assert answer(read_decisions(answered.encode()), "registries.[r.svc:5000]") == "x.azurecr.io"
    assert answer(read_decisions(answered.encode()), "hostnames.web") is None


@pytest.mark.parametrize("data", [b"a: [", b"- a", b"version: 2", b"\xff\xfe", b"source: 1", b"x" * 300_000])
def test_an_unusable_decisions_file_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(ValidationError) as error:
        read_decisions(data)
    assert str(error.value).startswith(".aks-copilot.yaml")
