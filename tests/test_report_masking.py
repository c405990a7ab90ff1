"""No value of a Secret, and nothing that looks like a credential, comes through a masked diff (DESIGN 5)."""

from __future__ import annotations

import base64
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.report import credentials
from shared.domain.report.credentials import mask_value, redact
from shared.domain.report.hiding import mask_lines
from shared.domain.report.masking import masked_diff

CORPUS = Path(os.environ.get("AKS_CORPUS") or Path(__file__).parents[1].parent / "shared" / "corpus")
PLAIN = "s3cr3t-value-of-shop"
ENCODED = base64.b64encode(PLAIN.encode()).decode()


def masked(text: str) -> str:
    return "".join(mask_lines(text))


SECRETS = {
    "block style": f"kind: Secret\ndata:\n  p: {ENCODED}\n",
    "stringData": f"apiVersion: v1\nkind: Secret\nstringData:\n  p: {PLAIN}\n",
    "quoted": f"kind: Secret\nstringData: {{p: '{PLAIN}', q: \"{PLAIN}\"}}\n",
    "literal": f"kind: Secret\nstringData:\n  file.conf: |\n    user=x\n    {PLAIN}\n\n    more {PLAIN}\n",
    "folded and stripped": f"kind: Secret\ndata:\n  p: >-\n    {ENCODED[:12]}\n    {ENCODED[12:]}\n",
    "plain over two lines": f"kind: Secret\nstringData:\n  p: one\n    {PLAIN}\n",
    "in a List": f"kind: List\nitems:\n- kind: Secret\n  data: {{p: {ENCODED}}}\n- kind: Service\n",
    "in a Template": f"kind: Template\nobjects:\n- apiVersion: v1\n  kind: Secret\n  stringData:\n    p: {PLAIN}\n",
    "JSON": f'{{"kind": "Secret", "data": {{"p": "{ENCODED}"}}}}\n',
    "JSON with tabs": f'{{\n\t"kind": "Secret",\n\t"stringData": {{\n\t\t"p": "{PLAIN}"\n\t}}\n}}\n',
    "CRLF": f"kind: Secret\r\nstringData:\r\n  p: {PLAIN}\r\n",
    "BOM": f"\ufeffkind: Secret\nstringData:\n  p: {PLAIN}\n",
    "second document": f"kind: Service\n---\nkind: Secret\nstringData:\n  p: {PLAIN}\n",
    "anchor and alias": f"kind: Secret\nstringData:\n  a: &x {PLAIN}\n  b: *x\n",
    "data behind an alias": f"kind: List\nitems:\n- kind: Thing\n  spec: &s {{p: {PLAIN}}}\n- kind: Secret\n  stringData: *s\n",
    "merged": f"kind: List\nitems:\n- &b\n  kind: Secret\n  stringData: {{p: {PLAIN}}}\n- <<: *b\n  metadata: {{name: x}}\n",
    "old value in a comment": f"kind: Secret\ndata:\n  # was {PLAIN}\n  p: eA==  # {PLAIN}\n",
    "plain text beside encoded": f"# the password is {PLAIN}\nkind: Secret\ndata:\n  p: {ENCODED}\n",
    "base64 beside plain": f"# {ENCODED}\nkind: Secret\nstringData:\n  p: {PLAIN}\n",
    "last-applied": (
        "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n"
        f'      {{"kind":"Secret","data":{{"p":"{ENCODED}"}}}}\n'
    ),
    "last-applied of a List": (
        "kind: Thing\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '"
        f'{{"kind":"List","items":[{{"kind":"Secret","data":{{"p":"{ENCODED}"}}}}]}}\'\n'
    ),
    "not YAML": f"kind: Secret\nstringData:\n  p: {PLAIN}\n  q: [\n",
    "duplicate braces": f"kind: Secret\nstringData:\n  {{{{ if .x }}}}\n  p: {PLAIN}\n",
    "unreadable block": f"kind: Secret\n\tbad\nstringData:\n  p: |\n    {PLAIN}\n",
    "environment": f"spec:\n  env:\n  - name: DB_PASSWORD\n    value: {PLAIN}\n",
    "environment in flow": f'env: [{{"name": "apiKey", "value": "{PLAIN}"}}]\n',
    "config map": f"kind: ConfigMap\ndata:\n  ADMIN_PASSWORD: {PLAIN}\n",
    "argument": f'args: ["--db-password={PLAIN}"]\n',
    "two arguments in a shell": f"command: [sh, -c, 'mysql --password {PLAIN}']\n",
    "address": f"url: postgres://shop:{PLAIN}@db/shop\n",
    "connection string": f"value: Endpoint=sb://x;SharedAccessKeyName=a;SharedAccessKey={PLAIN}\n",
    "account key": f"value: DefaultEndpointsProtocol=https;AccountName=x;AccountKey={PLAIN};EndpointSuffix=y\n",
    "header": f"value: 'Authorization: Bearer {PLAIN}'\n",
    "private key": f"tls:\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    {PLAIN}\n    -----END PRIVATE KEY-----\n",
    "private key in a comment": f"# -----BEGIN RSA PRIVATE KEY-----\n# {PLAIN}\n# -----END RSA PRIVATE KEY-----\nkind: Route\n",
    "comment": f"kind: Service\n# password: {PLAIN}\n",
    "secretGenerator": f"secretGenerator:\n- name: db\n  literals:\n  - user={PLAIN}\n",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_nothing_secret_is_left_and_no_line_is_lost(text: str) -> None:
    shown = masked(text)
    assert PLAIN not in shown
    assert ENCODED not in shown
    assert ENCODED[:12] not in shown
    assert ENCODED[12:] not in shown
    assert "***" in shown
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS.keys())
def test_a_diff_beside_it_shows_nothing_secret(text: str) -> None:
    after = text.replace("kind: ", "kind:  ").replace('"kind": ', '"kind":  ') + "# end\n"
    diff = masked_diff("a.yaml", text.encode(), after.encode())
    assert diff.count("\n-") == diff.count("\n+") - 1
    assert PLAIN not in diff
    assert ENCODED not in diff


SHAPES = [
    "env:\n- name: DB_PASS\n  value: {}\n", "env:\n- name: REDIS_AUTH\n  value: {}\n", "env:\n- name: LICENSE_KEY\n  value: {}\n",
    "env:\n- name: APP_SALT\n  value: {}\n", "args: [--password, {}]\n", "args:\n- --db-pass {}\n", "args:\n- mysql -uroot -p{} -e x\n",
    "args:\n- curl -u admin:{} http://x\n", "args:\n- --basic-auth-users=admin:{}\n", "args:\n- redis-server --requirepass {}\n",
    "args:\n- sshpass -p {} ssh host\n", "url: jdbc:oracle:thin:scott/{}@//db:1521/x\n", "url: otpauth://totp/x?secret={}\n",
    "dsn: https://{}@sentry.example.com/1\n",
]  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_credentials_of_common_programs_are_hidden(text: str) -> None:
    shown, value = masked(text.replace("{}", PLAIN)), "".join(c for c in PLAIN if c.isalnum())
    assert PLAIN not in shown
    assert "***" in shown
    assert value not in masked(text.replace("{}", value))


def test_arguments_after_a_flag_that_names_no_credential_stay() -> None:
    text = "args: [--name, shop, --token-file, /run/token, -u, '1000:1000', --password, $(DB_PASSWORD), --verbose, --password, --dry-run]\n"
    assert masked(text) == text


KEPT = {
    "references": "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}\n",
    "variables": "kind: Secret\nstringData:\n  p: ${DB_PASSWORD}\n  q: $(OTHER)\n",
    "names and paths": "secretName: shop-tls\ntokenPath: x\nenv:\n- name: TOKEN\n  value: /var/run/secrets/token\n",
    "booleans": "automountServiceAccountToken: false\n",
    "role": "kind: Role\nrules:\n- resources: [secrets]\n  verbs: [get]\n",
    "config map": "kind: ConfigMap\ndata:\n  host: db\n  script: |\n    echo $PASSWORD\n",
    "address": "url: https://example.com:8443/a@b\n",
    "shape of a Secret": "kind: Secret\nmetadata:\n  name: db\ntype: Opaque\n",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert masked(text) == text


def test_shape_of_a_block_value_stays() -> None:
    text = "kind: Secret\nstringData:\n  a.conf: |-\n    one\n\n    two\n  b: x1y2\ntype: Opaque\n"
    assert masked(text) == "kind: Secret\nstringData:\n  a.conf: |-\n    ***\n\n    ***\n  b: ***\ntype: Opaque\n"


def test_a_changed_secret_is_seen_but_not_its_value() -> None:
    before = b"kind: Secret\nstringData:\n  p: first-value-000\n"
    diff = masked_diff("s.yaml", before, before.replace(b"first", b"other"))
    assert "-  p: ***\n+  p: ***\n" in diff
    assert "value-000" not in diff


def test_a_value_of_the_new_text_is_hidden_in_the_old_one() -> None:
    """An expanded Template: the parameter's default becomes the Secret's value."""
    before = f"kind: Template\nobjects: []\nparameters:\n- name: WORD\n  value: {PLAIN}\n"
    after = f"kind: Secret\nstringData:\n  p: {PLAIN}\n"
    assert PLAIN not in masked_diff("t.yaml", before.encode(), after.encode())


def git_apply(folder: Path, diff: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=folder, capture_output=True, check=False)


LINES = st.lists(st.sampled_from(["a: 1", "b: 2", "", "# c", "d: é", "---", "- x"]), max_size=12)


@given(LINES, LINES, st.booleans(), st.booleans())
def test_git_applies_a_diff_without_secrets(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], a: bool, b: bool
) -> None:
    before, after = ("\n".join(lines) + ("\n" if lines and end else "") for lines, end in ((old, a), (new, b)))
    if before == after or not before:
        return
    folder = tmp_path_factory.mktemp("apply")
    (folder / "f.yaml").write_text(before, encoding="utf-8")
    done = git_apply(folder, masked_diff("f.yaml", before.encode(), after.encode()))
    assert done.returncode == 0, done.stderr
    assert (folder / "f.yaml").read_text(encoding="utf-8") == after


def test_git_applies_created_removed_and_oddly_named_files(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").write_bytes(b"a\n")
    (tmp_path / 'a "b" c.yaml').write_bytes(b"x: 1\r\n")
    diff = masked_diff("new dir/new.yaml", b"", b"kind: Gateway\n") + masked_diff("gone.yaml", b"a\n", None)
    diff += masked_diff('a "b" c.yaml', b"x: 1\r\n", b"x: 2\r\n")
    done = git_apply(tmp_path, diff)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new dir/new.yaml").read_bytes() == b"kind: Gateway\n"
    assert (tmp_path / 'a "b" c.yaml').read_bytes() == b"x: 2\r\n"
    assert not (tmp_path / "gone.yaml").exists()


def test_no_change_is_no_diff() -> None:
    assert masked_diff("a", b"x\n", b"x\n") == ""


@given(st.recursive(st.text(max_size=8) | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(max_size=8), v)))
def test_a_masked_value_keeps_its_shape(value: object) -> None:
    def shape(v: object) -> object:
        if isinstance(v, dict):
            return {k: shape(x) for k, x in v.items()}
        return [shape(x) for x in v] if isinstance(v, list) else None

    assert shape(mask_value(value)) == shape(value)
    assert mask_value(mask_value(value)) == mask_value(value)


@given(st.text())
def test_redaction_is_idempotent(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def judge() -> ModuleType:
    path = CORPUS.parent / "checks" / "check_fix.py"
    if not path.is_file():
        pytest.skip(f"needs the corpus and its judge beside the project ({path})")
    spec = importlib.util.spec_from_file_location("check_fix", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_fix"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("source", ["k3s", "okd", "other"])
def test_no_secret_of_the_corpus_is_in_its_masked_text(source: str) -> None:
    check = judge()
    secrets, texts = check.Secrets(), {}
    for name, path in check.tree(CORPUS / source).items():
        if path.stat().st_size < 400_000:
            secrets.take(check.documents(path) if check.is_manifest(path) else None, check.read(path))
            texts[name] = masked(path.read_bytes().decode("utf-8", "replace"))
    assert len(texts) > 300
    assert secrets.seen_in(texts) == []


PIECES = st.sampled_from([
    "DB_PASSWORD", "pa\u017f\u017fword", "to\u212aen", "conn-str", "CREDENT\u0130ALS", "apikey", "x_pwd", "app.SECRET", "web", "--", "=",
    ": ", " ", "\n", "hunter2hunter2", "Bearer ", "https://", "bob:", "@host", "ghp_abcdefghijklmnopqrstuvwxyz",
    '"auth": "', "eyJhbGciOiJ9.abc.def",
])  # fmt: skip


@given(st.lists(PIECES, max_size=10).map("".join) | st.text(max_size=40))
def test_patterns_that_are_left_out_would_have_found_nothing(text: str) -> None:
    plain = text
    for pattern, replacement in credentials._PATTERNS:
        plain = pattern.sub(replacement, plain)
    assert redact(text) == plain
