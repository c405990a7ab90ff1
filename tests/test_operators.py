"""The table of operators: well formed, dated, without two answers to one question; and what the checks make of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from test_convert_template import run

from shared.domain.operators import operator_of_group, operator_of_package, table
from shared.domain.target import default_target
from shared.domain.trimmed import trim


def test_the_table_answers_each_package_and_group_once():
    operators = table().operators
    for field in ("packages", "groups", "charts"):
        twice = [name for name, n in Counter(name for o in operators for name in getattr(o, field)).items() if n > 1]
        assert twice == [], field
    assert len({o.name for o in operators}) == len(operators) >= 60
    assert dt.date.fromisoformat(table().asOf) >= dt.date(2026, 1, 1)


def test_every_operator_can_be_found_and_says_what_stands_in_its_place():
    for operator in table().operators:
        assert operator.packages or operator.groups
        assert operator.instead
        assert not operator.instead.endswith(".")


def test_packages_and_groups_lead_to_their_operator():
    assert operator_of_package("openshift-pipelines-operator-rh") is operator_of_group("triggers.tekton.dev")
    assert operator_of_package("Cert-Manager") is None
    assert operator_of_group("tekton.development") is None


def test_no_group_of_kubernetes_itself_is_an_operators():
    plain = ("apps", "batch", "networking.k8s.io", "storage.k8s.io", "gateway.networking.k8s.io", "snapshot.storage.k8s.io", "policy")
    assert [g for g in (*plain, *default_target().api_groups) if operator_of_group(g)] == []


def test_the_index_keeps_the_charts_that_a_run_installs():
    release = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "x"}, "spec": {"values": {"a": 1}}}
    assert "spec" not in trim(release)
    release["spec"]["chart"] = {"spec": {"chart": "kyverno", "version": "3"}}
    assert trim(release)["spec"] == {"chart": {"spec": {"chart": "kyverno"}}}


def test_a_question_about_an_operator_is_plain_text():
    subscription = "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: cert-manager, namespace: shop}\n"
    subscription += "spec: {name: cert-manager, channel: stable, source: community-operators, sourceNamespace: openshift-marketplace}\n"
    questions = run(("subscription.yaml", subscription))["subscription.yaml"].outcome.questions

    assert questions
    assert {type(text) for q in questions for text in (q.key, q.question, q.example)} == {str}
