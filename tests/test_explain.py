"""One finding explained: what stands there, what changes or waits, what to read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_process import CLAIM, PROJECT, write
from explain_support import explained, fixed

from shared.domain.articles import own_articles
from shared.domain.explain.at_line import at_line
from shared.domain.explain.change import as_yaml
from shared.domain.explain.excerpt import WIDTH
from shared.domain.explain.finding import explain
from shared.domain.model import FileOutcome
from shared.domain.rulebook import by_id

SAMPLES = ("k3s-shop", "okd-portal")


REVEALED = """\
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: db}
spec: {tags: [{name: "15", from: {kind: DockerImage, name: "registry.redhat.io/rhel9/postgresql-15:1"}}]}
---
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: db}
spec:
  replicas: 1
  selector: {app: db}
  triggers:
  - {type: ImageChange, imageChangeParams: {automatic: true, containerNames: [db], from: {kind: ImageStreamTag, name: "db:15"}}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: " "}]}
"""


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_finding_of_the_samples_is_explained_at_its_line(sample: str) -> None:
    files, done = fixed(PROJECT / "samples" / sample)
    found = [(o, v) for o in done.outcomes for v in o.violations if o.path in files]
    assert len(found) >= 10
    for outcome, violation in found:
        file = files[outcome.path]
        assert violation in at_line(file, outcome, violation.line)
        told = explain(file, outcome, violation, done.setup, own_articles)
        assert [line.number for line in told.now if line.here] == [violation.line]
        assert told.outlook
        assert told.why == by_id()[violation.rule_id].why
        assert bool(told.steps) == (violation.resolution in ("fixed", "suggested")), violation
        assert told.readings
        json.dumps(told.to_json())


def test_the_slice_is_the_way_to_the_place(tmp_path: Path) -> None:
    told = explained(write(tmp_path, claim=CLAIM), "AKS0101")
    assert [(line.number, line.text, line.here) for line in told.now] == [
        (3, "kind: PersistentVolumeClaim", False),
        (5, "  name: data", False),
        (6, "spec:", False),
        (7, "  storageClassName: local-path  # k3s", True),
    ]
    assert [(s.op, s.path, s.before, s.after) for s in told.steps] == [("replace", "/spec/storageClassName", "local-path", "managed-csi")]


def test_a_finding_that_waits_names_its_question_and_the_lines_that_answer_it() -> None:
    told = explained(PROJECT / "samples" / "k3s-shop", "AKS0601")
    assert [q.key for q in told.waiting.questions] == ["loadBalancers.shop/till"]
    assert told.answer.startswith("loadBalancers:\n")
    assert told.answer.endswith('"shop/till": "internal"\n')
    assert told.steps == ()


def test_a_finding_that_a_conversion_brings_to_light_names_its_question(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(REVEALED)
    told = explained(tmp_path, "AKS0710")
    assert told.violation.resolution == "needs-human"
    assert [q.key for q in told.waiting.questions] == ["registries.[registry.redhat.io]"]


def test_what_another_fix_took_away_asks_nothing() -> None:
    told = explained(PROJECT / "samples" / "okd-portal", "AKS0701")
    assert told.violation.resolution == "ignored"
    assert told.waiting.questions == ()


def test_what_is_suggested_shows_what_it_would_do() -> None:
    told = explained(PROJECT / "samples" / "k3s-shop", "AKS0603")
    assert told.violation.resolution == "suggested"
    assert [(s.op, s.path, s.before, s.after) for s in told.steps] == [("remove", "/spec/loadBalancerIP", "192.168.10.40", "")]
    assert told.waiting.resources[0].command.startswith("az network public-ip create")


def test_a_loss_is_explained_by_the_articles_of_the_fix_that_loses_it() -> None:
    files, done = fixed(PROJECT / "samples" / "k3s-shop")
    outcome = next(o for o in done.outcomes if o.path == "40-backup.yaml")
    loss = next(v for v in outcome.violations if v.rule_id == "AKS0002")
    told = explain(files[outcome.path], outcome, loss, done.setup, own_articles)
    assert "Azure Files" in loss.message
    assert {r.document.name for r in told.readings} == {d.name for d in own_articles("AKS0101")}


def test_control_characters_of_a_file_are_named_and_long_lines_cut(tmp_path: Path) -> None:
    write(tmp_path, claim=CLAIM.replace("# k3s", "# \u202ek3s" + "x" * 500))
    line = next(line for line in explained(tmp_path, "AKS0101").now if line.here)
    assert "<U+202E>k3s" in line.text
    assert len(line.text) == WIDTH


def test_a_value_is_cut_and_a_text_stays_a_text() -> None:
    assert as_yaml("yes") == "yes"
    assert as_yaml(True) == "true"
    assert as_yaml({"a": [1, None]}) == "a:\n- 1\n- null"
    assert as_yaml({"a": "x" * 500}) == "a: " + "x" * (WIDTH - 4) + "…"
    assert as_yaml(list(range(40))).split("\n")[-2:] == ["- 10", "... and 29 more lines"]


def test_a_finding_of_a_values_file_shows_its_key(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (tmp_path / "values.yaml").write_text("persistence:\n  storageClass: local-path\n")
    write(tmp_path, templates__claim=CLAIM.replace("local-path  # k3s", "{{ .Values.persistence.storageClass }}"))
    files, done = fixed(tmp_path, "k3s")
    outcomes: dict[str, FileOutcome] = {o.path: o for o in done.outcomes}
    outcome = outcomes["values.yaml"]
    assert [v.rule_id for v in outcome.violations] == ["AKS0008"]
    told = explain(files["values.yaml"], outcome, outcome.violations[0], done.setup, own_articles)
    assert [(line.number, line.text) for line in told.now] == [(1, "persistence:"), (2, "  storageClass: local-path")]
    assert told.steps == ()
