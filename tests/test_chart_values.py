"""Helm values inside objects: found wherever they lie, changed there, and nothing around them is touched."""

from __future__ import annotations

import pytest
import yaml
from rule_support import found, mended, rules_of, text_of

CHART = """\
    apiVersion: helm.cattle.io/v1
    kind: HelmChart
    metadata:
      name: grafana
    spec:
      repo: https://grafana.github.io/helm-charts
      chart: grafana
      targetNamespace: monitoring
      set:
        adminPassword: correct-horse-battery
        replicas: 2
      valuesContent: |-
        # keep this comment
        persistence:
          enabled: true   # and this one
          storageClassName: %s

        other: 'quoted'
    """
APPLICATION = """\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: app}
    spec:
      source:
        chart: app
        helm:
          %s
    """


def test_only_the_value_inside_the_text_changes() -> None:
    before = CHART % "local-path  # on the node"
    text = text_of(mended(before))
    assert text == "\n".join(line[4:] for line in before.split("\n")).replace("local-path", "managed-csi")


def test_what_cannot_be_decided_stays_open_beside_what_is_fixed() -> None:
    patched = mended(CHART % "local-path\n          extra: {storageClass: longhorn}")
    assert "storageClassName: managed-csi" in text_of(patched)
    assert "storageClass: longhorn" in text_of(patched)
    assert [v.resolution for v in found(patched, "AKS0941")] == ["needs-human"]
    assert "storageClasses.longhorn" in {q.key for q in patched.outcome.questions}


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("values: 'persistence: {storageClass: gp3}'", "AKS0940"),
        ("valuesObject: {persistence: {storageClass: gp3}}", "AKS0940"),
        ("parameters: [{name: persistence.storageClass, value: gp3}]", "AKS0940"),
        ("parameters: [{name: 'ingress.annotations.kubernetes\\.io/ingress\\.class', value: traefik}]", "AKS0943"),
        ("valuesObject: {ingress: {className: nginx}}", "AKS0943"),
        ("values: 'service: {type: LoadBalancer}'", "AKS0948"),
        ("values: 'a: [unclosed'", "AKS0952"),
        ("values: '{{ .Values.x }}'", "AKS0952"),
    ],
)
def test_every_place_that_holds_values_is_looked_at(values: str, rule: str) -> None:
    assert rule in rules_of(APPLICATION % values)


@pytest.mark.parametrize(
    ("values", "rule", "fires"),
    [
        ("ingress: {main: {enabled: true, annotations: {kubernetes.io/ingress.class: old}}}", "AKS0943", True),
        ("ingress: {main: {enabled: false, annotations: {kubernetes.io/ingress.class: old}}}", "AKS0943", False),
        ("ingress: {enabled: false, className: old}", "AKS0943", False),
        ("service: {enabled: false, main: {type: LoadBalancer}}", "AKS0948", False),
        ("mail: {enabled: false}, service: {type: LoadBalancer}", "AKS0948", True),
    ],
)
def test_what_the_values_switch_off_is_not_asked_about(values: str, rule: str, fires: bool) -> None:
    assert (rule in rules_of(APPLICATION % f"valuesObject: {{{values}}}")) is fires


def test_an_application_of_several_sources_and_an_application_set_are_looked_at_too() -> None:
    several = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
        "spec: {sources: [{helm: {valuesObject: {storageClass: gp3}}}]}\n"
    )
    template = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\n"
        "spec: {template: {spec: {source: {helm: {valuesObject: {storageClass: gp3}}}}}}\n"
    )
    assert "AKS0940" in rules_of(several)
    assert yaml.safe_load(text_of(mended(template)))["spec"]["template"]["spec"]["source"]["helm"]["valuesObject"] == {
        "storageClass": "managed-csi"
    }


@pytest.mark.parametrize(
    "values",
    [
        "storageClass: '-'",
        "storageClass: ''",
        "storageClass: {create: true}",
        "storageClass: managed-csi-premium",
        "storageClass: ${CLASS}",
        "className: btn-primary",
        "image: {repository: grafana/grafana}",
        "image: {repository: https://charts.lan/x}",
        "nodeSelector: {kubernetes.io/os: linux}",
        "service: {loadBalancerIP: ''}",
        "service: {type: ClusterIP}",
    ],
)
def test_what_works_on_aks_or_says_nothing_is_left_alone(values: str) -> None:
    text = f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: a}}\nspec: {{values: {{{values}}}}}\n"
    assert rules_of(text) <= {"AKS0905"}


def test_the_command_that_installs_the_chart_is_exact_and_shows_no_value() -> None:
    patched = mended(CHART % "managed-csi")
    (finding,) = found(patched, "AKS0904")
    assert finding.resolution == "needs-human"
    assert (
        "helm upgrade --install grafana grafana --repo https://grafana.github.io/helm-charts --namespace monitoring --create-namespace"
        " --values values.yaml --set-string adminPassword=... --set replicas=..." in str(finding.reason)
    )
    assert "pin the one that runs today" in str(finding.reason)
    assert "correct-horse" not in str(patched.outcome)


def test_a_chart_that_k3s_brings_is_not_installed() -> None:
    text = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: traefik}\nspec: {chart: 'https://%{KUBERNETES_API}%/static/t.tgz'}\n"
    (finding,) = found(mended(text), "AKS0904")
    assert "comes with k3s itself" in str(finding.reason)


def test_lines_that_end_in_spaces_keep_a_text_in_its_block() -> None:
    text = text_of(mended(CHART % "local-path   \n          x: y  "))
    assert "storageClassName: managed-csi   \n" in text
    assert "valuesContent: |-\n" in text


def test_a_chosen_ingress_class_is_written_and_none_is_an_answer() -> None:
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\nspec: {values: {ingress: {className: traefik}}}\n"
    )
    chosen = mended(release, decisions="ingressClasses: {traefik: azure-alb-external}\n")
    assert "className: azure-alb-external" in text_of(chosen)
    none = mended(release, decisions="ingressClasses: {traefik: none}\n")
    assert not {"AKS0942", "AKS0943"} & {v.rule_id for v in none.outcome.violations}
