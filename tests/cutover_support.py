"""Reads a cutover page back: its steps, its shell blocks, and what the commands in them name."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.cli.local import fix_tree, options_for
from shared.cli.tree import read_tree
from shared.domain.inventory import Item
from shared.domain.manifest import read_manifest, resources
from shared.domain.report.cutover import cutover_md
from shared.domain.report.cutover_commands import NAMESPACE, SHORT
from shared.domain.report.cutover_data import claims
from shared.domain.report.cutover_move import Move

STEP = re.compile(r"^### \d+\. (.+)$", re.MULTILINE)
FUNCTIONS = re.compile(r"^(\w+)\(\) \{.*?^\}$", re.MULTILINE | re.DOTALL)
SPACE = re.compile(r"(?<= -n )\S+")
NAMED = re.compile(r"(?<= )([a-z][a-z.]*)/([a-z0-9][-a-z0-9.]*)(?= |$)")
PLAIN = {"get secret", "get configmap", "create namespace", "delete pod"}


@dataclass(frozen=True)
class Page:
    text: str
    move: Move

    @property
    def steps(self) -> dict[str, str]:
        """Title to the text below it, in order; what follows the last step is not among it."""
        parts = STEP.split(self.text.partition("\n## Sizing")[0])
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    def step(self, start: str) -> str:
        """The text of the step whose title begins so; "" where there is none."""
        return next((text for title, text in self.steps.items() if title.startswith(start)), "")

    @property
    def blocks(self) -> list[str]:
        return [b.removeprefix("sh\n") for b in self.text.split("```")[1::2]]

    @property
    def lines(self) -> Iterator[str]:
        """Every command but the bodies of functions, continued lines joined."""
        for block in self.blocks:
            yield from FUNCTIONS.sub("", block).replace(" \\\n", "").split("\n")


def page_of(folder: Path, source: str = "auto", *, unsafe: bool = False) -> Page:
    run = fix_tree(read_tree([folder]), options_for(folder, source, None, unsafe=unsafe))
    return Page(cutover_md(run.setup, run.outcomes, run.after), Move(run.setup, run.outcomes, run.after))


def check(page: Page) -> None:
    """Every property of a page; the message of a failure names the command or the thing."""
    names_only_what_is_there(page)
    copies_every_claim_once(page)
    asks_and_switches_every_host_once(page)
    stops_and_starts_every_workload(page)
    parses(page)


def names_only_what_is_there(page: Page) -> None:
    move = page.move
    items = [*move.before.items, *move.after.items]
    spaces = (
        {i.namespace for i in items if i.namespace} | {i.name for i in items if i.kind in ("Namespace", "Project")} | {NAMESPACE, "default"}
    )
    known = {name for i in items for name in _as_written(i)}
    for line in page.lines:
        for space in SPACE.findall(line) if line.startswith("kubectl") else ():
            assert space in spaces, line
        if line.startswith("kubectl") and " apply" not in line:
            for kind, name in NAMED.findall(line.partition(" -- ")[0]):
                assert (kind, name) in known or kind in {"certificate.cert-manager.io", "crd"}, line
    files = {i.file for i in move.after.items}
    for line in (line for line in page.lines if line.startswith("kubectl") and " apply" in line and " | " not in line):
        for word in (w for w in shlex.split(line) if w.startswith("OUT/") and " -k " not in line):
            assert word.removeprefix("OUT/") in files, word


def _as_written(item: Item) -> Iterator[tuple[str, str]]:
    yield SHORT.get(item.kind, item.kind.lower()), item.name


def copies_every_claim_once(page: Page) -> None:
    move, data = page.move, page.move.data
    parts = [*data.copied, *data.dumped, *data.shared, *data.raw]
    assert sorted((c.namespace or "", c.name) for c in parts) == sorted({(c.namespace or "", c.name) for c in claims(move.after)})
    copied = re.findall(r"^copy_claim OLD AKS (\S+) (\S+)", page.step("The last copy"), re.MULTILINE)
    assert sorted(copied) == sorted((c.namespace or NAMESPACE, c.name) for c in data.copied)
    for claim in data.shared:
        assert claim.name in page.step("Apply"), claim
    for claim in data.raw:
        assert claim.name in page.step("The last copy"), claim
    for database in data.databases:
        assert f"> {database.file}\n" in page.step("The last copy") or database.key not in {
            (i.namespace, i.name) for i in move.before.items
        }
    files = [d.file for d in data.databases]
    assert len(files) == len(set(files)), files


def asks_and_switches_every_host_once(page: Page) -> None:
    for host in page.move.hosts:
        assert page.step("Lower the TTL").count(f"dig +noall +answer {host.probe}\n") == 1, host
        assert page.step("Switch DNS").count(f"\n| {host.name.replace('*', chr(92) + '*')} | ") == 1, host
        asked = len(re.findall(rf"//{re.escape(host.probe)}[/'\s]", page.step("Verify")))
        assert asked == (1 if host.entry else 0), host


def stops_and_starts_every_workload(page: Page) -> None:
    move, new, old = page.move, page.move.new, page.move.old
    back = page.step("Roll back")
    for item in (i for i in move.after.running if i.kind in ("Deployment", "StatefulSet", "DaemonSet") and i.facts.get("replicas", 1) != 0):
        assert _calls(page.step("Verify"), "AKS", "rollout status", item) == 1, item
    for job in old.scheduled:
        assert _calls(page.step("Stop"), "OLD", "patch", job) == _calls(back, "OLD", "patch", job) == 1, job
    for job in new.scheduled:
        assert _calls(page.step("Apply"), "AKS", "patch", job) == _calls(page.step("Let the schedules"), "AKS", "patch", job) == 1, job
    for item in old.scaled if move.pauses else ():
        assert _calls(page.step("Stop"), "OLD", "scale", item) == _calls(back, "OLD", "scale", item) == 1, item
    for item in new.scaled if move.pauses else ():
        assert _calls(page.step("Apply"), "AKS", "scale", item) == _calls(page.step("Start"), "AKS", "scale", item) == 1, item


def _calls(text: str, context: str, verb: str, item: Item) -> int:
    """How many commands of the verb name the item in its namespace of that cluster."""
    start = f"kubectl --context {context} -n {item.namespace or NAMESPACE} {verb} "
    word = re.compile(rf" {re.escape(next(_as_written(item))[0])}/{re.escape(item.name)}( |$)")
    return sum(1 for line in text.split("\n") if line.startswith(start) and word.search(line))


def parses(page: Page) -> None:
    done = subprocess.run(["bash", "-n"], input="\n".join(page.blocks), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def secret_values(folder: Path) -> set[str]:
    """Values of the Secrets of a folder that are long enough to be looked for."""
    found: set[str] = set()
    for path in folder.rglob("*.y*ml"):
        for document in read_manifest(path.name, path.read_bytes()).documents:
            for _, obj in resources(document):
                if obj.get("kind") == "Secret":
                    parts = [obj.get(k) for k in ("data", "stringData")]
                    found |= {str(v) for p in parts if isinstance(p, dict) for v in p.values() if len(str(v)) >= 8}
    return found
