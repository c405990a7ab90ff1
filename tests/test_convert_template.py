"""Templates are expanded as `oc process` does it: cases from library-go's own tests, whole files through the engine, secrets hidden."""

from __future__ import annotations

import json

import pytest
import yaml

from shared.domain.convert.base import CannotConvert
from shared.domain.convert.template import expanded
from shared.domain.convert.template_text import fill
from shared.domain.examples import tried
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.patcher import patch
from shared.domain.report.credentials import mask_value
from shared.domain.run import PatchedFile, RunOptions, SourceFile
from shared.domain.thinker import propose

VALUES = {"VALUE": "1", "STRING": "foo", "OBJECT": '{"a": 1}', "LIST": '["a"]', "BROKEN": '["key":', "NULL": "null", "TEXT": "string1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v${VALUE}", "v1"),
        ("${VALUE}-${VALUE}", "1-1"),
        ("$${VALUE}", "$1"),
        ("${UNKNOWN}", "${UNKNOWN}"),
        ("${my-var} ${VAR:-x} $(VALUE)", "${my-var} ${VAR:-x} $(VALUE)"),
        ("${{VALUE}}", 1),
        ("a${{VALUE}}", "a${{VALUE}}"),
        ("${{VALUE}}a", "${{VALUE}}a"),
        ("${{UNKNOWN}}", "${{UNKNOWN}}"),
        ("${{OBJECT}}", {"a": 1}),
        ("${{LIST}}", ["a"]),
        ("${{NULL}}", None),
        ("${{BROKEN}}", '["key":'),
        ("${{TEXT}}", "string1"),
    ],
)
def test_a_string_is_filled_in_as_oc_process_does(text: str, expected: object) -> None:
    filled = fill({text: text}, VALUES)
    assert list(filled.values()) == [expected]


def test_keys_are_filled_in_too_and_may_not_collide() -> None:
    assert fill({"${STRING}": [{"k": "${STRING}"}]}, VALUES) == {"foo": [{"k": "foo"}]}
    with pytest.raises(CannotConvert, match="become the same"):
        fill({"${STRING}": 1, "foo": 2}, VALUES)


def template(objects: list[object], parameters: list[object] = (), **more: object) -> dict[str, object]:
    head = {"apiVersion": "template.openshift.io/v1", "kind": "Template", "metadata": {"name": "app"}}
    return head | {"parameters": list(parameters), "objects": objects} | more


def config(**data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def run(*files: tuple[str, str], source: str = "okd") -> dict[str, PatchedFile]:
    given = [SourceFile(path, text.encode()) for path, text in files]
    setup = plan_run(given, RunOptions("app", source))
    found = {}
    for file in given:
        findings = inspect(file, setup)
        found[file.path] = patch(file, findings, propose(file, findings, setup), setup)
    return found


def after(patched: PatchedFile) -> list[object]:
    return list(yaml.safe_load_all(patched.data or b""))


def test_labels_overwrite_those_of_the_object_and_not_of_the_pods() -> None:
    pod = {"metadata": {"labels": {"x": "own"}}, "spec": {"containers": [{"name": "a", "image": "quay.io/a/a:1"}]}}
    obj = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a", "labels": {"x": "own"}}, "template": pod}
    made = expanded(template([obj], [{"name": "NAME", "value": "x"}], labels={"${NAME}": "v-${NAME}"}), lambda _: None)
    assert made[0][1]["metadata"]["labels"] == {"x": "v-x"}
    assert made[0][1]["template"]["metadata"]["labels"] == {"x": "own"}


def test_a_namespace_is_left_out_unless_it_is_a_parameter() -> None:
    objects = [config() | {"metadata": {"name": n, "namespace": ns}} for n, ns in (("a", "prod"), ("b", "${NS}"), ("c", "${{NS}}"))]
    made = expanded(template(objects, [{"name": "NS", "value": "shop"}]), lambda _: None)
    assert [o["metadata"].get("namespace") for _, o in made] == [None, "shop", None]


def test_what_is_required_or_generated_is_asked_for_all_at_once() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "${PASSWORD}"}}
    given = template(
        [secret, config(user="${USER}")],
        [{"name": "PASSWORD", "generate": "expression", "from": "[a-z]{8}"}, {"name": "USER", "required": True}],
    )
    done = run(("t.yaml", yaml.safe_dump(given)))["t.yaml"]
    assert done.outcome.status == "unchanged"
    asked = {q.key: q.question for q in done.outcome.questions}
    assert list(asked) == ["parameters.app.PASSWORD", "parameters.app.USER"]
    assert "only inside Secret values" in asked["parameters.app.PASSWORD"]
    assert "only inside Secret values" not in asked["parameters.app.USER"]


def test_answers_win_and_clear_the_generator() -> None:
    given = template([config(a="${A}", b="${B}")], [{"name": "A", "generate": "expression", "from": "x{3}"}, {"name": "B", "value": "own"}])
    answers = "version: 1\nparameters: {app: {A: '', B: 7, C: typo}}\n"
    done = run((".aks-copilot.yaml", answers), ("t.yaml", yaml.safe_dump(given)))["t.yaml"]
    assert after(done) == [config(a="", b="7")]
    said = [v.message for v in done.outcome.violations if v.rule_id == "AKS0002"]
    assert any("no parameter C" in m for m in said)
    assert not any("are empty" in m for m in said), "an empty answer is one, and is not reported as left out"


DATABASE = """\
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: "${NAME}-persistent"}
parameters:
- {name: NAME, value: %s}
- {name: PASSWORD, generate: expression, from: "[a-z]{8}"}
- {name: NOTE}
- {name: REF}
objects:
- {apiVersion: v1, kind: Secret, metadata: {name: "${NAME}"}, stringData: {password: "${PASSWORD}"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: "${NAME}"}, data: {note: "${NOTE}", ref: "${REF}"}}
"""


def test_templates_that_are_named_by_a_parameter_do_not_share_answers() -> None:
    files = ("db.yaml", DATABASE % "db"), ("wallet.yaml", DATABASE % "wallet")
    done = run(*files)
    assert [q.key for f in done.values() for q in f.outcome.questions] == [
        "parameters.db-persistent.PASSWORD",
        "parameters.wallet-persistent.PASSWORD",
    ]
    answers = "version: 1\nparameters: {db-persistent: {PASSWORD: one}, wallet-persistent: {PASSWORD: two}}\n"
    done = run((".aks-copilot.yaml", answers), *files)
    assert [after(done[p])[0]["stringData"] for p, _ in files] == [{"password": "one"}, {"password": "two"}]


def test_an_answer_under_the_name_as_it_is_written_counts_too() -> None:
    answers = "version: 1\nparameters: {'${NAME}-persistent': {PASSWORD: one}}\n"
    done = run((".aks-copilot.yaml", answers), ("db.yaml", DATABASE % "db"))
    assert after(done["db.yaml"])[0]["stringData"] == {"password": "one"}


def test_what_stands_for_nothing_is_one_line_that_says_where_to_answer() -> None:
    answers = "version: 1\nparameters: {db-persistent: {PASSWORD: one}}\n"
    done = run((".aks-copilot.yaml", answers), ("db.yaml", DATABASE % "db"))["db.yaml"]
    said = [v.message for v in done.outcome.violations if "are empty" in v.message]
    assert len(said) == 1
    assert "in their places: NOTE, REF; where `oc process`" in said[0]
    assert "parameters.db-persistent in .aks-copilot.yaml" in said[0]


def test_a_parameter_written_twice_alike_counts_once() -> None:
    once = {"name": "A", "value": "1", "description": "first"}
    assert expanded(template([config(a="${A}")], [once, once | {"description": "again"}]), lambda _: None)[0][1] == config(a="1")


def test_a_value_that_only_builds_use_is_not_asked_for() -> None:
    build = {
        "apiVersion": "build.openshift.io/v1",
        "kind": "BuildConfig",
        "metadata": {"name": "b"},
        "spec": {"triggers": [{"type": "GitHub", "github": {"secret": "${HOOK}"}}]},
    }
    given = template([build, config(a="1")], [{"name": "HOOK", "generate": "expression", "from": "[a-z]{8}"}])
    done = run(("t.yaml", yaml.safe_dump(given)))["t.yaml"]
    assert not [q for q in done.outcome.questions if q.key.startswith("parameters")]
    assert config(a="1") in after(done)


TO_WEB = {"kind": "Service", "name": "web"}
ROUTE = {"apiVersion": "v1", "kind": "Route", "metadata": {"name": "web"}, "spec": {"host": "${HOST}", "to": TO_WEB}}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
WEB = template([SERVICE, ROUTE], [{"name": "HOST", "value": "www.example.com"}])


def test_the_objects_are_converted_and_know_of_each_other() -> None:
    done = run(("t.yaml", "# The shop\n" + yaml.safe_dump(WEB)))["t.yaml"]
    assert done.data is not None
    assert done.data.startswith(b"# The shop\n")
    assert [o["kind"] for o in after(done)] == ["Service", "HTTPRoute"]
    assert done.outcome.listeners
    route = next(v for v in done.outcome.violations if v.rule_id == "AKS0201")
    assert (route.path, route.resolution) == ("/objects/1/kind", "fixed")
    assert {v.resolution for v in done.outcome.violations if v.rule_id == "AKS0304"} == {"fixed"}


def test_objects_of_other_files_see_what_a_template_makes() -> None:
    service = template([SERVICE], [])
    route = ROUTE | {"spec": {"host": "www.example.com", "to": {"kind": "Service", "name": "web"}}}
    done = run(("a.yaml", yaml.safe_dump(route)), ("t.yaml", yaml.safe_dump(service)))["a.yaml"]
    assert [o["kind"] for o in after(done)] == ["HTTPRoute"]


def test_a_second_run_changes_nothing() -> None:
    first = run(("t.yaml", yaml.safe_dump(WEB)))["t.yaml"]
    assert first.data is not None
    again = run(("t.yaml", first.data.decode()))["t.yaml"]
    assert again.data == first.data


def test_a_json_template_becomes_a_list() -> None:
    done = run(("t.json", json.dumps(WEB, indent=2)))["t.json"]
    assert done.data is not None
    found = json.loads(done.data)
    assert (found["kind"], [o["kind"] for o in found["items"]]) == ("List", ["Service", "HTTPRoute"])


def test_a_template_in_a_list_is_replaced_by_its_objects_there() -> None:
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [config(z="1"), WEB]})
    done = run(("t.yaml", text))["t.yaml"]
    assert [o["kind"] for o in after(done)[0]["items"]] == ["ConfigMap", "Service", "HTTPRoute"]


def test_comments_that_go_are_said_and_a_hash_in_a_string_is_none() -> None:
    text = yaml.safe_dump(template([config(a="x #y")], []))
    for given, expected in ((text, False), (text + "# the end\n", True)):
        done = run(("t.yaml", given))["t.yaml"]
        assert any("comments in it are lost" in v.message for v in done.outcome.violations) is expected


def test_a_secrets_value_is_written_but_never_shown() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "${P}"}}
    done = run(("t.yaml", yaml.safe_dump(template([secret], [{"name": "P", "value": "hunter2hunter2"}]))))["t.yaml"]
    assert done.data is not None
    assert b"hunter2hunter2" in done.data
    assert "hunter2hunter2" not in json.dumps(mask_value(done.outcome.to_json()))
    assert "hunter2hunter2" not in done.diff


def test_an_object_that_no_cluster_would_take_is_not_written() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": "${COUNT}",
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "quay.io/a/a:1"}]}},
        },
    }
    done = run(("t.yaml", yaml.safe_dump(template([deployment], [{"name": "COUNT", "value": "2"}]))))["t.yaml"]
    assert done.outcome.status == "unchanged"
    (reason,) = (v.reason for v in done.outcome.violations if v.rule_id == "AKS0304")
    assert "at /spec/replicas (name: web); where the file says so already, mend it there first." in (reason or "")


def test_an_answer_to_a_parameter_is_a_known_decision() -> None:
    with tried(()):
        done = run((".aks-copilot.yaml", "version: 1\nparameters: {app: {A: x}}\n"), ("c.yaml", yaml.safe_dump(config(a="1"))))
    assert done["c.yaml"].outcome.status == "unchanged"
