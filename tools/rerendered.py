"""`make judge`: the black-box judge over the corpus and over copies of it written in other ways (CRLF, flow style, anchors...).

The same objects in another notation must come out as well mended and as untouched. Needs ../shared; about ten minutes.

Usage: python tools/rerendered.py [form ...]
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("AKS_CORPUS", ROOT.parent / "shared" / "corpus")).parent
JUDGE = SHARED / "checks" / "check_fix.py"
LARGEST = 150_000


def load_judge() -> ModuleType:
    """The judge as a module: its reader says what counts as a document."""
    spec = importlib.util.spec_from_file_location("check_fix", JUDGE)
    if spec is None or spec.loader is None:
        raise ImportError(JUDGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Dumper(yaml.SafeDumper):
    """Writes strings so that Kubernetes reads them as strings, and never an alias unless asked to."""

    reader: Any = None
    aliases = False

    def ignore_aliases(self, data: Any) -> bool:
        return not self.aliases or super().ignore_aliases(data)

    def text(self, value: str) -> yaml.Node:
        style = "|" if "\n" in value else None
        try:
            style = style if yaml.load(value, Loader=self.reader) == value else style or '"'  # noqa: S506 (the judge's own loader)
        except yaml.YAMLError:
            style = style or '"'
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=style)


class Anchored(Dumper):
    """Writes equal collections once, with an anchor."""

    aliases = True


class Indented(Dumper):
    """Indents sequences."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001 (PyYAML's signature)
        super().increase_indent(flow, indentless=False)


for kind in (Dumper, Anchored, Indented):
    kind.add_representer(str, kind.text)


def dumped(documents: list[Any], between: str = "---\n", dumper: type[Dumper] = Dumper, **style: Any) -> bytes:
    """The documents as one text."""
    style = {"sort_keys": False, "width": 100_000} | style
    return between.join(yaml.dump(d, Dumper=dumper, **style) for d in documents).encode()


def shared_parts(value: Any, seen: dict[str, Any]) -> Any:
    """Equal collections as one object, which the dumper writes as anchor and aliases."""
    if isinstance(value, dict):
        value = {k: shared_parts(v, seen) for k, v in value.items()}
    elif isinstance(value, list):
        value = [shared_parts(v, seen) for v in value]
    return seen.setdefault(json.dumps(value, sort_keys=True), value) if isinstance(value, (dict, list)) and value else value


def as_json(path: str, documents: list[Any]) -> bytes | None:
    """One JSON document in one of several indentations."""
    indent = random.Random(path).choice([2, 4, "\t", None])  # noqa: S311
    return json.dumps(documents[0], indent=indent).encode() if len(documents) == 1 else None


FORMS: dict[str, Callable[[str, bytes, list[Any]], bytes | None]] = {
    "as it is": lambda _, raw, __: raw,
    "crlf": lambda _, raw, __: raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "bom, no final newline": lambda _, raw, __: b"\xef\xbb\xbf" + raw.removeprefix(b"\xef\xbb\xbf").rstrip(b"\n"),
    "json": lambda path, _, docs: as_json(path, docs),
    "list": lambda _, __, docs: dumped([{"apiVersion": "v1", "kind": "List", "items": docs}]),
    "indented by 4": lambda _, __, docs: b"---\n" + dumped(docs, dumper=Indented, indent=4),
    "sorted, wrapped, comments between": lambda _, __, docs: dumped(docs, "# between\n---\n", sort_keys=True, width=60) + b"...\n",
    "flow": lambda _, __, docs: dumped(docs, default_flow_style=True, width=80),
    "flow leaves": lambda _, __, docs: dumped(docs, "\n---\n", default_flow_style=None),
    "anchors": lambda _, __, docs: dumped([shared_parts(d, {}) for d in docs], dumper=Anchored),
}


def rerender(form: str, source: Path, out: Path, judge: ModuleType) -> None:
    """A copy of a folder with every readable manifest in another form; what is no manifest stays as it is."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        rel, raw = path.relative_to(source), path.read_bytes()
        target = out / rel
        target.parent.mkdir(parents=True, exist_ok=True)
        documents = judge.documents(path) if path.suffix in (".yaml", ".yml") and len(raw) <= LARGEST else None
        fit = documents and all(isinstance(d, dict) for d in documents) and not judge.may_be_refused(path)
        keep = not fit or path.name.startswith("kustomization")
        text = None if keep else FORMS[form](str(rel), raw, documents)
        target = target.with_suffix(".json") if form == "json" and text is not None else target
        target.write_bytes(raw if text is None else text)


def main(wanted: list[str]) -> int:
    """Judge every form of every source; the number of those with a miss."""
    if not JUDGE.is_file():
        print(f"judge: nothing at {SHARED}")
        return 0
    judge = load_judge()
    Dumper.reader = judge.KubeLoader
    failed = 0
    for form in wanted or FORMS:
        for source in ("k3s", "okd", "other"):
            with tempfile.TemporaryDirectory() as folder:
                rerender(form, SHARED / "corpus" / source, Path(folder) / "in", judge)
                command = [
                    sys.executable,
                    str(JUDGE),
                    f"{folder}/in",
                    "--cmd",
                    f"{sys.executable} -m shared.cli",
                    "--keep",
                    f"{folder}/work",
                ]
                done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            failed += done.returncode != 0
            misses = "\n".join(line for line in done.stdout.splitlines() if line.startswith(("MISS", "ran:")))
            print(f"{form}, {source}: {'no miss' if done.returncode == 0 else misses}", flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
