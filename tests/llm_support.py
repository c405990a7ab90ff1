"""A model of the tests' own at the port: it says what the test wrote, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.language_model import Answer, Message, Usage
from shared.domain.llm.case import Case, Snippet, open_case
from shared.domain.llm.repair import Repair, repair
from shared.domain.llm.trial import prover
from shared.domain.model import Violation
from shared.domain.run import RunOptions, RunSetup, SourceFile

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: team-a
  annotations: {note: of the shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      runtimeClassName: nvidia  # of the old nodes
      containers:
      - name: web
        image: registry.example.com/shop:1.2
        env:
        - {name: DB_PASSWORD, value: correct-horse-battery}
        - {name: MODE, value: live}
        ports: [{containerPort: 8080}]
        securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false}
"""
RULE = "AKS0510"
PLACE = "/spec/template/spec/runtimeClassName"
FIXED = POD.replace("      runtimeClassName: nvidia  # of the old nodes\n", "")


class ScriptedModel:
    """Gives the scripted answers in turn, the last one for ever. A string is a problem, an exception is raised."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked: list[list[Message]] = []

    def complete(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> Answer:
        self.asked.append(list(messages))
        said = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, str):
            return Answer(None, said, Usage(10, 1), "scripted")
        return Answer(said(messages) if callable(said) else said, None, Usage(10, 5), "scripted")

    @property
    def seen(self) -> str:
        """Everything that left."""
        return "\n".join(m.content for messages in self.asked for m in messages)


def answer(*operations: tuple[Any, ...], decision: Any = None, sources: Sequence[str] = (), explanation: str = "Done.") -> dict[str, Any]:
    """An answer of the asked form; operations are (op, path) or (op, path, value)."""
    made = [{"op": o[0], "path": o[1], "value": json.dumps(o[2]) if len(o) > 2 else None} for o in operations]
    return {"operations": made, "decision": decision, "explanation": explanation, "sources": list(sources)}


RIGHT = answer(("remove", PLACE))


def found(text: str, rule: str = RULE, files: Mapping[str, str] | None = None) -> tuple[SourceFile, Violation, RunSetup]:
    """The first violation of a rule in a file `a.yaml` of a run."""
    file = SourceFile("a.yaml", text.encode())
    others = [SourceFile(path, data.encode()) for path, data in (files or {}).items()]
    setup = plan_run([file, *others], RunOptions("app"))
    return file, next(v for v in inspect(file, setup).violations if v.rule_id == rule), setup


def case_of(text: str = POD, rule: str = RULE, snippets: Sequence[Snippet] = (), hosts: Sequence[str] = ()) -> Case:
    file, violation, setup = found(text, rule)
    return open_case(file, violation, setup, snippets, hosts)


def ask(
    model: ScriptedModel | Callable[..., Any],
    text: str = POD,
    rule: str = RULE,
    *,
    snippets: Sequence[Snippet] = (),
    hosts: Sequence[str] = (),
) -> Repair:
    """The whole loop over a manifest."""
    file, violation, setup = found(text, rule)
    return repair(open_case(file, violation, setup, snippets, hosts), model, prover(file, violation, setup))  # type: ignore[arg-type]
