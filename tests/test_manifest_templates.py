"""`{{ }}` in a manifest: refused where it is an unrendered template, plain text where it is data."""

# ruff: noqa: E501 -- a manifest on one line is a row of the table

from __future__ import annotations

import pytest

from shared.domain.manifest import read_manifest

CORE = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n"

TEMPLATES = [
    ("a control line", "{{- if .Values.on }}\n" + CORE + "{{- end }}\n", 1),
    ("a name", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n", 4),
    ("a quoted name", 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "{{ .Values.name }}"\n', 4),
    ("part of a name", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x-{{ name }}\n", 4),
    ("a quoted namespace", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  namespace: '{{ ns }}'\n", 5),
    ("an image", CORE + "spec:\n  template:\n    spec:\n      containers:\n      - image: 'repo:{{ tag }}'\n", 9),
    ("a plain host", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  rules:\n  - host: app.{{ domain }}\n", 5),
    ("a number", CORE + "spec:\n  replicas: {{ n }}\n", 6),
    ("a key", CORE + "  labels:\n    '{{ key }}': x\n", 6),
    ("an item of a List", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: 'x{{ y }}'}\n", 6),
    ("the name of a custom resource", "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata:\n  name: '{{ .Release.Name }}-x'\n", 4),
    ("a whole line of data", "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: {{ .Values.a | quote }}\n", 4),
]

DATA = [
    ("a dashboard", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a.json: '{\"legend\": \"{{pod}}\"}'\n  b: |\n    {{ .Values.x }}\n"),
    ("plain data", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: url/{{ id }}\n"),
    ("a Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  a: x {{ b }}\n"),
    ("an annotation", CORE + "  annotations:\n    vault.hashicorp.com/t: '{{ with secret \"a\" }}{{ end }}'\n"),
    ("arguments", CORE + "spec:\n  template:\n    spec:\n      containers:\n      - args: ['--format={{.Name}}']\n        command: [\"{{ x }}\"]\n"),
    ("an environment variable", CORE + "spec:\n  template:\n    spec:\n      containers:\n      - env:\n        - {name: A, value: '{{ a }}'}\n"),
    ("a block scalar", CORE + "spec:\n  template:\n    spec:\n      containers:\n      - lifecycle: |\n          {{ x }}\n"),
    ("an alert rule", "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\nspec:\n  summary: on {{ $labels.instance }}\n"),
    ("an ApplicationSet", "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  template:\n    metadata: {name: '{{cluster}}-x'}\n"),
    ("a workflow", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec:\n  image: 'x:{{inputs.parameters.tag}}'\n"),
    ("an OpenShift Template", "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: x}\nobjects:\n- kind: X\n  name: '{{ a }}'\n"),
    ("a comment", CORE + "# host: \"{{ .Release.Name }}-postgresql\"\n"),
    ("a CRD's description", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  description: use {{ name }}\n"),
    ("braces that open nothing", CORE + "spec:\n  host: 'a{{b'\n"),
    ("substitutions", CORE + "spec:\n  replicas: ${N}\n  host: '%{VAR}%'\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), [pytest.param(t, n, id=i) for i, t, n in TEMPLATES])
def test_an_unrendered_template_is_refused(text: str, line: int) -> None:
    manifest = read_manifest("a.yaml", text.encode())

    assert manifest.status == "refused"
    assert manifest.reason is not None
    assert manifest.reason.startswith(f"An unrendered template (line {line}): render it first (holds ")


@pytest.mark.parametrize("text", [pytest.param(t, id=i) for i, t in DATA])
def test_braces_in_data_refuse_nothing(text: str) -> None:
    manifest = read_manifest("a.yaml", text.encode())

    assert (manifest.status, manifest.reason) == ("manifest", None)


def test_a_chart_directive_in_a_comment_is_a_template() -> None:
    manifest = read_manifest("a.yaml", ("# {{- if .Values.on }}\n" + CORE + "# {{- end }}\n").encode())

    assert manifest.reason == "An unrendered template: render it first (holds Deployment)."


def test_values_with_template_text_are_skipped() -> None:
    manifest = read_manifest("values.yaml", b"extra:\n- '{{ include \"x\" . }}'\n")

    assert manifest.status == "skipped"
