"""Bytes to a `Manifest`: what a file is, whether the program may edit it, and if not, why, in one sentence."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from shared.domain.manifest.compose import ComposeError, ContentError, compose
from shared.domain.manifest.document import Document, Manifest, ManifestStatus, is_object
from shared.domain.manifest.jsontext import compose_json, parse_json
from shared.domain.manifest.templates import BRACES, chart_comment, template_site
from shared.domain.manifest.values import is_null, value_of

MAX_BYTES = 20_000_000
"""Larger files are refused: no manifest is that large, and reading one would stall a run."""

SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATION_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTRY = r"""(?m)(?:^[ \t-]*|[{,][ \t]*)["']?%s["']?[ \t]*:"""
_LOOKS = (re.compile(_ENTRY % "apiVersion"), re.compile(_ENTRY % "kind"))
_KIND = re.compile(_ENTRY % "kind" + r"""[ \t]*["']?([A-Za-z][A-Za-z0-9]{0,60})["']?[ \t]*(?=[,}\r\n]|$)""")
_K3S_VARIABLE = re.compile(r"%\{[^{}%\s]{1,60}\}%")
"""What the deploy controller of k3s fills in before it reads the YAML."""
_STRAY_SEPARATOR = re.compile(r"(?m)^---(?![ \t]*(?:#.*)?\r?$)")


def read_manifest(path: str, data: bytes) -> Manifest:
    """What a file is; never raises. `path` is POSIX; only its name and suffix matter."""
    name = PurePosixPath(path).name
    is_json = name.endswith(".json")

    def verdict(status: ManifestStatus, reason: str | None, text: str = "", documents: tuple[Document, ...] = ()) -> Manifest:
        return Manifest(path, data, text, data.startswith(_BOM), is_json, status, reason, documents)

    if not name.endswith(SUFFIXES) and name not in KUSTOMIZATION_NAMES:
        return verdict("skipped", "Not a .yaml, .yml or .json file.")
    if len(data) > MAX_BYTES:
        return verdict("refused", f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        what = "a binary file" if b"\x00" in data else "not UTF-8"
        return verdict("refused", f"The file is {what} (line {data.count(bytes([10]), 0, error.start) + 1}).")
    if _CONTROL.search(text):
        return verdict("refused", "The file is binary: it holds control characters.")
    try:
        documents = read_documents(text, is_json=is_json)
    except ComposeError as error:
        return verdict(*_unreadable(text, error, is_json=is_json), text)
    status, reason = _classify(name, text, documents)
    return verdict(status, reason, text, () if status == "refused" else documents)


@lru_cache(maxsize=8)
def kept_manifest(path: str, data: bytes) -> Manifest:
    """`read_manifest`, with the last few kept: the stages and the proofs ask for the same file in turn. Do not change its values."""
    return read_manifest(path, data)


def read_documents(text: str, *, is_json: bool) -> tuple[Document, ...]:
    """The documents of a text that count. Raises ComposeError."""
    if is_json:
        value = parse_json(text)
        roots = [(root, len(text)) for root in compose_json(text)]
        return tuple(Document(i, value, root, text, end) for i, (root, end) in enumerate(roots) if value is not None)
    stray = _STRAY_SEPARATOR.search(text)
    if stray:  # kubectl splits a file at its `---` lines before it parses
        raise ComposeError("content on the line of a document separator, which kubectl does not read", stray.start())
    found = compose(text)
    ends = [*(root.start for root in found[1:]), len(text)]
    counted = [(root, end) for root, end in zip(found, ends, strict=False) if not is_null(root.node)]
    return tuple(Document(i, value_of(root.node), root, text, end) for i, (root, end) in enumerate(counted))


def _classify(name: str, text: str, documents: tuple[Document, ...]) -> tuple[ManifestStatus, str | None]:
    values = [d.value for d in documents]
    if not values:
        return "skipped", "The file holds no document, or comments only."
    if name in KUSTOMIZATION_NAMES or all(_is_kustomization(v) for v in values):
        return "skipped", "A kustomization, no manifest of its own."
    if not any(map(is_object, values)):
        return "skipped", "No document is a Kubernetes object."
    if any(_is_encrypted(v) for v in values):
        return "refused", f"Encrypted by SOPS: an edit would break its checksum{_kinds(text)}; what decrypts it on AKS needs the key."
    if BRACES in text:
        site = template_site((d.root.node, d.value) for d in documents)
        if site is not None or chart_comment(text):
            return "refused", _template(text, site)
    return "manifest", None


def _is_kustomization(value: Any) -> bool:
    return is_object(value) and value["apiVersion"].startswith("kustomize.config.k8s.io/")


def _is_encrypted(value: Any) -> bool:
    return is_object(value) and isinstance(value.get("sops"), dict)


def _unreadable(text: str, error: ComposeError, *, is_json: bool) -> tuple[ManifestStatus, str]:
    if BRACES in text and not is_json:
        return "refused", _template(text, text.find(BRACES))
    if not looks_like_kubernetes(text) and (is_json or isinstance(error, ContentError)):
        return "skipped", "No document is a Kubernetes object."
    where = f"Line {text.count(chr(10), 0, error.index) + 1}: " if error.index >= 0 else "Not editable: "
    variable = _K3S_VARIABLE.match(text, error.index) if error.index >= 0 else None
    why = f"{variable[0]} without quotes is no valid YAML before k3s fills it in: put it in quotes, or fill it in" if variable else error
    return "refused", f"{where}{why}{_kinds(text)}."


def looks_like_kubernetes(text: str) -> bool:
    """Whether a text that cannot be read has the lines that every manifest has."""
    return all(pattern.search(text) for pattern in _LOOKS)


def _template(text: str, index: int | None) -> str:
    where = "" if index is None else f" (line {text.count(chr(10), 0, index) + 1})"
    return f"An unrendered template{where}: render it first{_kinds(text)}."


def _kinds(text: str) -> str:
    """The kinds that a refused file names, for the reader of the report."""
    kinds = list(dict.fromkeys(_KIND.findall(text)))
    return f" (holds {', '.join(kinds[:20])})" if kinds else ""
