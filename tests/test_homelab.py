"""Leftovers of homelab, Rancher and local clusters, and plain manifests beside them that must stay silent."""

from __future__ import annotations

import pytest
from rule_support import found, mended, rules_of, text_of

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {%scontainers: [{name: app, image: '%s'}]}\n"
PORTABLE = {"AKS0801", "AKS1030"}


@pytest.mark.parametrize(
    "text",
    [
        POD % ("", "nginx:1.27"),
        POD % ("nodeName: aks-userpool-12345-vmss000000, ", "nginx:1.27"),
        POD % ("", "acme/alarm:1.2"),
        POD % ("", "acme/coredns-exporter:1"),
        POD % ("tolerations: [{operator: Exists}], ", "nginx:1.27"),
    ],
)
def test_portable_pods_are_left_alone(text: str) -> None:
    assert rules_of(text) <= PORTABLE


def test_only_the_found_toleration_goes() -> None:
    text = POD % ("tolerations: [{key: CriticalAddonsOnly, operator: Exists}, {key: dedicated, operator: Exists}], ", "nginx:1.27")
    assert "tolerations: [{key: dedicated, operator: Exists}]" in text_of(mended(text, unsafe=True))
    assert "CriticalAddonsOnly" in text_of(mended(text)), "it is only suggested"


def test_of_several_finalizers_only_ranchers_goes() -> None:
    text = (
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  finalizers:\n"
        "    - controller.cattle.io/namespace-auth\n    - example.com/keep\n"
    )
    after = text_of(mended(text, unsafe=True))
    assert "cattle.io" not in after
    assert "    - example.com/keep\n" in after


def test_labels_of_rancher_that_a_selector_needs_stay() -> None:
    text = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      selector: {matchLabels: {workload.user.cattle.io/workloadselector: web}}
      template:
        metadata: {labels: {workload.user.cattle.io/workloadselector: web}}
        spec: {containers: [{name: web, image: "web:1"}]}
    """
    patched = mended(text, unsafe=True)
    assert [v.resolution for v in found(patched, "AKS0958")] == ["ignored"]
    assert text_of(patched).count("workloadselector") == 2
