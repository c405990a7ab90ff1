"""What a file is taken for: manifest, skipped or refused, and the one sentence that says why."""

from __future__ import annotations

import time

import pytest
from manifest_support import HEAD, thing

from shared.domain.manifest import MAX_BYTES, Manifest, read_manifest, resources

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n"

SKIPPED = [
    ("notes.txt", POD, "Not a .yaml, .yml or .json file."),
    ("deploy.YAML", POD, "Not a .yaml, .yml or .json file."),
    ("a.yaml", "", "The file holds no document, or comments only."),
    ("a.yaml", "# only\n---\n# comments\n---\nnull\n", "The file holds no document, or comments only."),
    ("a.json", "null", "The file holds no document, or comments only."),
    ("values.yaml", "image:\n  tag: v1\n", "No document is a Kubernetes object."),
    ("ci.yaml", "on: push\njobs:\n  a:\n    steps:\n    - run: echo ${{ github.sha }}\n", "No document is a Kubernetes object."),
    ("compose.yaml", "services:\n  web: {image: nginx}\n", "No document is a Kubernetes object."),
    ("Chart.yaml", "apiVersion: v2\nname: chart\n", "No document is a Kubernetes object."),
    ("a.yaml", "- apiVersion: v1\n  kind: Pod\n", "No document is a Kubernetes object."),
    ("a.yaml", "apiVersion: 1\nkind: Pod\n", "No document is a Kubernetes object."),
    ("a.json", "[1, 2]", "No document is a Kubernetes object."),
    ("tsconfig.json", "{\n  // comment\n}", "No document is a Kubernetes object."),
    ("template.yaml", "Resources:\n  A: !Ref B\n", "No document is a Kubernetes object."),
    ("kustomization.yaml", "resources:\n- a.yaml\n", "A kustomization, no manifest of its own."),
    ("Kustomization", "resources: [a.yaml]\n", "A kustomization, no manifest of its own."),
    ("a.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n", "A kustomization, no manifest of its own."),
]

SEPARATOR = "Line 5: content on the line of a document separator, which kubectl does not read (holds Pod)."
SOPS = "apiVersion: v1\nkind: Secret\ndata:\n  a: ENC[AES256_GCM,data:x]\nsops: {version: 3}\n"
UNQUOTED = "without quotes is no valid YAML before k3s fills it in: put it in quotes, or fill it in"
NOT_FINITE = "Not editable: an infinity or NaN, which JSON cannot hold (holds Pod)."
REFUSED = [
    ("a.yaml", POD + "  labels: {a: 1\n", "Line 6: expected ',' or '}', but got '<stream end>' (holds Pod)."),
    ("a.yaml", "a: b: c\n", "Line 1: mapping values are not allowed here."),
    ("a.yaml", POD + "spec:\n\tnodeName: x\n", "Line 6: a tab is used for indentation (holds Pod)."),
    ("a.yaml", POD + "\tspec: x\n", "Line 5: a tab is used for indentation (holds Pod)."),
    ("a.yaml", POD + "spec: *gone\n", "Line 5: an alias of an anchor that is not there (holds Pod)."),
    ("a.yaml", POD + "kind: Service\n", "Line 5: duplicate key 'kind' (holds Pod, Service)."),
    ("a.yaml", POD + "  name: y\n", "Line 5: duplicate key 'name' (holds Pod)."),
    ("a.yaml", POD + "spec: !vault x\n", "Line 5: a custom tag, which JSON cannot hold (holds Pod)."),
    ("a.yaml", POD + "--- {apiVersion: v1, kind: Pod}\n", SEPARATOR),
    ("a.yaml", POD + "---x\n" + POD, SEPARATOR),
    ("a.yaml", POD + "...\n" + POD, "Line 6: expected '<document start>', but found '<block mapping start>' (holds Pod)."),
    ("a.yaml", "%YAML 1.1\n---\n" + POD, "Line 1: a YAML directive, which kubectl does not read (holds Pod)."),
    ("a.yaml", POD + "spec: %{VAR}%\n", f"Line 5: %{{VAR}}% {UNQUOTED} (holds Pod)."),
    ("a.yaml", POD + "spec: [%{A_B}%, 1]\n", f"Line 5: %{{A_B}}% {UNQUOTED} (holds Pod)."),
    ("a.yaml", POD + "spec: %VAR\n", "Line 5: found character '%' that cannot start any token (holds Pod)."),
    ("a.yaml", SOPS, "Encrypted by SOPS: an edit would break its checksum (holds Secret); what decrypts it on AKS needs the key."),
    ("a.json", '{"apiVersion": "v1", "kind": "Pod",}', "Line 1: not JSON: Illegal trailing comma before end of object (holds Pod)."),
    ("a.json", '{"apiVersion": "v1", "kind": "Pod", "kind": "Pod"}', "Not editable: duplicate key 'kind' (holds Pod)."),
    ("a.json", '{"apiVersion": "v1",\n"kind": "Pod",\n"spec": NaN}', NOT_FINITE),
    ("a.json", '{"apiVersion": "v1",\n"kind": "Pod",\n"spec": 1e999}', "Not editable: a number out of range (holds Pod)."),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "reason"), SKIPPED)
def test_no_manifest_is_skipped(path: str, text: str, reason: str) -> None:
    manifest = read_manifest("deep/" + path, text.encode())

    assert (manifest.status, manifest.reason) == ("skipped", reason)


@pytest.mark.parametrize(("path", "text", "reason"), REFUSED)
def test_an_uneditable_manifest_is_refused(path: str, text: str, reason: str) -> None:
    manifest = read_manifest(path, text.encode())

    assert manifest.status == "refused"
    assert manifest.documents == ()
    if "JSON" in reason:  # the standard library's wording differs between Python versions
        assert manifest.reason is not None
        assert manifest.reason.startswith("Line 1: not JSON: ") or manifest.reason == reason
    else:
        assert manifest.reason == reason


def test_documents_of_a_kustomization_can_be_edited() -> None:
    manifest = read_manifest("kustomization.yaml", b"resources:\n- a.yaml\n")

    assert [d.value for d in manifest.documents] == [{"resources": ["a.yaml"]}]


def test_a_flux_kustomization_is_a_manifest() -> None:
    manifest = read_manifest("ks.yaml", b"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n")

    assert manifest.status == "manifest"


def test_objects_among_other_documents_make_a_manifest() -> None:
    manifest = read_manifest("a.yaml", f"a: 1\n---\n{POD}---\n- x\n".encode())

    assert manifest.status == "manifest"
    assert [(base, found["kind"]) for d in manifest.documents for base, found in resources(d)] == [("", "Pod")]
    assert [d.index for d in manifest.documents] == [0, 1, 2]


def test_items_of_any_list_are_resources() -> None:
    manifest = thing("")
    lists = read_manifest(
        "a.yaml", b"apiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod}\n- 5\n- {apiVersion: v1, kind: Service}\n"
    )

    assert [(base, found["kind"]) for base, found in resources(manifest.documents[0])] == [("", "Thing")]
    assert [(base, found["kind"]) for base, found in resources(lists.documents[0])] == [("/items/0", "Pod"), ("/items/2", "Service")]


def test_a_list_kind_without_items_is_itself() -> None:
    document = read_manifest("a.yaml", b"apiVersion: acme.io/v1\nkind: AllowList\nspec: {}\n").documents[0]

    assert [base for base, _ in resources(document)] == [""]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\x01\xff\xfe", "The file is a binary file (line 1)."),
        (b"a: 1\nb: \xff\n", "The file is not UTF-8 (line 2)."),
        ("a: é\n".encode("utf-16"), "The file is a binary file (line 1)."),
        (b"a: \x07\n", "The file is binary: it holds control characters."),
        (b"a: \x00\n", "The file is binary: it holds control characters."),
        (b"#" * (MAX_BYTES + 1), "The file is larger than 20 MB."),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, reason: str) -> None:
    manifest = read_manifest("a.yaml", data)

    assert (manifest.status, manifest.reason) == ("refused", reason)


def test_byte_order_mark_and_line_ends_are_noted() -> None:
    manifest = read_manifest("a.yaml", "\ufeffapiVersion: v1\r\nkind: Pod\r\n".encode())

    assert manifest.bom
    assert manifest.text.startswith("apiVersion: v1\r\n")
    assert manifest.documents[0].position("/apiVersion") == (1, 1)
    assert manifest.documents[0].value == {"apiVersion": "v1", "kind": "Pod"}


def test_tabs_at_line_ends_are_read_as_space() -> None:
    manifest = thing("spec: x\t\n")

    assert manifest.documents[0].value["spec"] == "x"
    assert "\t" in manifest.text


def refused_quickly(manifest_text: str, path: str = "a.yaml") -> Manifest:
    started = time.process_time()
    manifest = read_manifest(path, manifest_text.encode())
    assert time.process_time() - started < 5
    assert manifest.status == "refused"
    return manifest


def test_an_alias_bomb_is_refused() -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 12))

    assert "aliases that repeat more than 100000 nodes" in str(refused_quickly(HEAD + "l0: &l0 [x]\n" + levels).reason)


def test_a_merge_bomb_is_refused() -> None:
    levels = "".join(f"l{i}: &l{i} {{<<: *l{i - 1}, a{i}: *l{i - 1}, b{i}: *l{i - 1}}}\n" for i in range(1, 40))

    assert "aliases that repeat more than 100000 nodes" in str(refused_quickly(HEAD + "l0: &l0 {x: 1}\n" + levels).reason)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "&x [", "!!seq ["])
def test_nesting_without_end_is_refused(opening: str) -> None:
    assert refused_quickly(f"{HEAD}spec:\n  {opening * 50_000}").reason


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_without_end_is_refused(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    text = f'{{"apiVersion": "v1",\n"kind": "Pod",\n"spec": {opening * 60_000}1{closing * 60_000}}}'

    assert "nested deeper than 200 levels" in str(refused_quickly(text, "a.json").reason)


def test_deep_but_sane_nesting_is_read() -> None:
    manifest = thing("spec: " + "[" * 150 + "]" * 150 + "\n")

    assert manifest.status == "manifest"


def test_reasons_never_quote_values() -> None:
    secret = "hunter2secret"
    texts = [
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: {secret}: x\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: !tag {secret}\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: *{secret}\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: !{secret}!x y\n",
        f'apiVersion: v1\nkind: Secret\nstringData:\n  p: "{secret}\\q"\n',
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: &{secret} 1\n  q: &{secret} [*{secret}\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: !!binary {secret}!\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: '{secret}\n",
        f"apiVersion: v1\nkind: Secret\nstringData:\n  p: %{secret}\n",
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{{{ {secret} }}}}\n",
    ]

    reasons = [read_manifest("a.yaml", text.encode()) for text in texts]

    assert ["refused"] * len(texts) == [m.status for m in reasons]
    assert [m.reason for m in reasons if secret in str(m.reason)] == []
