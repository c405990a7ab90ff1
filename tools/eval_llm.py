"""`make eval-llm BASE_URL=... MODEL=...`: how well a model repairs what the rules leave open, over the cases of tests/data/repairs.

Prints repaired, drafted, rightly declined, wrong and refused shares, fields changed without reason (0 is the only good number), tokens and
seconds. Published numbers to compare with: 94.3 % of 1,000 manifests, 98.5 % with validation by schema, 0 unrelated changes (bmendonca3/
k8s-auto-fix; they count what their own verifier accepts, here a checker of its own judges each case).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from azure.core.credentials import TokenCredential
from repair_cases import CASES, Opened, Task, opened, read_tasks
from repair_judge import Verdict, judge_draft, judge_repair

from shared.adapters import model_key
from shared.adapters.openai_model import OpenAIModel
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.errors import AksCopilotError
from shared.domain.language_model import Answer, Message, Model, ReplyingModel, read_reply
from shared.domain.llm.repair import GAVE_UP, Repair, repair
from shared.domain.llm.trial import prover
from shared.domain.pointer import JsonValue
from shared.domain.retrieval.ports import KnowledgeBase
from shared.model_settings import load_model_settings
from shared.services import load_knowledge

SORTS = {"repair": "repaired", "draft": "drafted right", "decline": "rightly declined"}
"""What a case wants, and what it is called when it came."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case: `right`, `wrong` (it got through and the checker says no) or `refused` by boundary or model."""

    task: Task
    outcome: str
    repair: Repair
    verdict: Verdict = field(default_factory=Verdict)


def result_of(case: Opened, model: Model) -> Result:
    """Ask about one case and judge. Raises TransientError or CriticalError of the model."""
    found = repair(case.case, model, prover(case.file, case.violation, case.setup))
    if found.data is not None:
        verdict = judge_repair(case.task, case.file.data, found.data)
    elif found.draft is not None:
        verdict = judge_draft(case.task.right.draft, found.draft.key, found.draft.value)
    else:
        declined = case.task.sort == "decline" and found.reasons[-1:] == (GAVE_UP,)
        return Result(case.task, "right" if declined else "refused", found)
    return Result(case.task, "right" if verdict.right else "wrong", found, verdict)


def results(
    tasks: Sequence[Task], model: Callable[[Opened], Model], knowledge: KnowledgeBase | None = None, seconds: float = 1e9
) -> Iterator[Result]:
    """The results one by one, until the time is over. Cases whose file of the corpus is absent are left out."""
    end = time.monotonic() + seconds
    for task in tasks:
        if time.monotonic() > end:
            return
        try:
            case = opened(task, knowledge)
        except FileNotFoundError:
            continue
        yield result_of(case, model(case))


def summary(found: Sequence[Result]) -> Iterator[str]:
    """The lines that are printed."""
    for sort, name in SORTS.items():
        some = [r for r in found if r.task.sort == sort]
        if some:
            counts = Counter(r.outcome for r in some)
            shares = {
                word: f"{100 * counts[key] / len(some):.1f} %"
                for word, key in ((name, "right"), ("wrong", "wrong"), ("refused", "refused"))
            }
            yield f"{sort:<8}{len(some):>4} cases: " + ", ".join(f"{word} {share}" for word, share in shares.items())
    yield f"unrelated fields changed: {sum(len(r.verdict.unrelated) for r in found)}"
    usage = [r.repair.usage for r in found]
    asked = max(1, len(found))
    yield (
        f"tokens: {sum(u.prompt_tokens for u in usage)} in questions, {sum(u.completion_tokens for u in usage)} in answers; "
        f"seconds: {sum(u.seconds for u in usage):.0f} ({sum(u.seconds for u in usage) / asked:.1f} a case); "
        f"tries: {sum(r.repair.tries for r in found) / asked:.2f} a case"
    )
    yield from (f"{n:>4}  {reason}" for reason, n in reasons_of(r.repair.reasons for r in found).most_common(15))


def reasons_of(tries: Iterable[Sequence[str]]) -> Counter[str]:
    """How often each reason refused a try, with what names a place or a value left out."""
    return Counter(_plain(reason) for refused in tries for reason in refused)


def _plain(reason: str) -> str:
    words = (w for w in reason.split() if "/" not in w and not w.startswith("`"))
    return " ".join(words)[:90]


@dataclass(frozen=True, slots=True)
class Direct:
    """A model without a budget and without known answers: what is measured is the model, each time anew."""

    service: ReplyingModel
    answer_tokens: int

    def complete(self, messages: Sequence[Message], schema: Mapping[str, JsonValue]) -> Answer:
        """As the port says."""
        return read_reply(self.service.reply(messages, schema, self.answer_tokens), schema)


def model_at(base_url: str, name: str, key_env: str | None = None, **other: int) -> Direct:
    """The model of an endpoint; what else the LLM_... settings say holds too. Raises CriticalError for settings that cannot be."""
    given = {"LLM_MODE": "apply", "LLM_BASE_URL": base_url, "LLM_MODEL": name}
    if key_env:
        given["LLM_AUTH"] = "key"
    settings = load_model_settings(os.environ | given)
    settings = replace(settings, **other)
    secrets = EnvironmentSecrets({"LLM_API_KEY": os.environ.get(key_env or "LLM_API_KEY", "")})
    return Direct(OpenAIModel(settings, model_key.build(settings.auth, secrets, default_credential)), settings.answer_tokens)


def default_credential() -> TokenCredential:
    """Whoever is logged in here."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow to import, and seldom needed

    return DefaultAzureCredential()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--key-env", help="the variable that holds the key")
    parser.add_argument("--cases", default=str(CASES))
    parser.add_argument("--without-articles", action="store_true", help="ask without the knowledge base: what it adds")
    parser.add_argument("--limit", type=int, default=10**6, help="so many cases of the shuffled ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="start no case after these")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run over a model; 1 where something got through that may not."""
    given = _parser().parse_args(arguments)
    tasks = read_tasks(Path(given.cases))
    random.Random(given.seed).shuffle(tasks)  # noqa: S311 (no secret)
    found: list[Result] = []
    try:
        asked = model_at(given.base_url, given.model, given.key_env)
        knowledge = None if given.without_articles else load_knowledge()
        for result in results(tasks[: given.limit], lambda _: asked, knowledge, given.seconds):
            found.append(result)
            print(told(result), flush=True)
    except AksCopilotError as error:
        print(f"error: {error}", file=sys.stderr)
    print("\n".join(summary(found)))
    return 0 if found and not any(r.verdict.unrelated for r in found) else 1


def told(result: Result) -> str:
    """One line of one case."""
    said = (*result.verdict.unrelated, *result.verdict.wrong) or result.repair.reasons[-1:]
    return f"{result.outcome:<8}{result.task.name} {'; '.join(said)}"


if __name__ == "__main__":
    sys.exit(main())
