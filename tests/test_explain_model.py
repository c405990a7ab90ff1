"""A model's words on a finding: plain sentences with the snippets that they rest on, or the explanation stays as it is without them."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cli_process import CLAIM, write
from llm_support import ScriptedModel
from model_server import ModelServer, fails, says

from shared.cli.local import fix_tree, options_for
from shared.cli.main import run
from shared.cli.tree import read_tree
from shared.domain.articles import own_articles
from shared.domain.errors import CriticalError, TransientError, ValidationError
from shared.domain.explain.finding import Explanation, Told, explain
from shared.domain.language_model import BudgetSpent
from shared.domain.llm.explaining import EXPLANATION_SCHEMA, MAX_SENTENCE, MAX_SENTENCES, snippets_of, told_by
from shared.domain.run import SourceFile

SECRET_VALUE = "correct-horse-battery"
FILE = (
    CLAIM.replace("name: data", f"name: data\n  annotations: {{db-password: {SECRET_VALUE}, note: db.corp.example.com}}")
    + f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{a: {SECRET_VALUE}}}\n"
)


def sentences(*given: tuple[str, list[int]]) -> dict[str, Any]:
    return {"sentences": [{"text": text, "citations": numbers} for text, numbers in given]}


GOOD = sentences(("The claim names a class that only the old cluster had.", [1]), ("A disk of Azure takes its place.", [2, 1]))


@functools.cache
def finding(text: str = FILE, rule: str = "AKS0101") -> tuple[SourceFile, Explanation]:
    """The first finding of a rule in a file, explained without a model; made once for each."""
    with tempfile.TemporaryDirectory() as folder:
        done = fix_tree(read_tree([write(Path(folder), a=text)]), options_for(Path(folder), "k3s", None))
    outcome, violation = next((o, v) for o in done.outcomes for v in o.violations if v.rule_id == rule and o.path == "a.yaml")
    file = SourceFile("a.yaml", text.encode())
    return file, explain(file, outcome, violation, done.setup, own_articles)


def told(said: Any, **options: Any) -> Told:
    return told_by(ScriptedModel(said), *finding(), **options)


def test_plain_sentences_with_their_snippets() -> None:
    file, explanation = finding()
    given = snippets_of(explanation.readings)
    answer = told_by(ScriptedModel(GOOD), file, explanation)
    assert answer.text == "The claim names a class that only the old cluster had. [1] A disk of Azure takes its place. [2] [1]"
    assert [(c.number, c.title, c.source) for c in answer.cited] == [(n, given[n - 1].title, given[n - 1].source) for n in (1, 2)]
    assert answer.model == "scripted"


def test_emphasis_is_taken_away_and_names_of_the_given_texts_may_be_used() -> None:
    answer = told(sentences(("Class `local-path` is **not** in AKS, storageclass.storage.k8s.io or 1.35 or not.", [1])))
    assert answer.text == "Class local-path is not in AKS, storageclass.storage.k8s.io or 1.35 or not. [1]"


def test_what_leaves_holds_no_secret_no_comment_and_no_internal_host() -> None:
    model = ScriptedModel(GOOD)
    told_by(model, *finding(), hosts=["corp.example.com"])
    assert "local-path" in model.seen
    assert "BEGIN snippet-1 " in model.seen
    for hidden in (SECRET_VALUE, "corp.example.com", "# k3s", "The data of the shop"):
        assert hidden not in model.seen


HOSTILE = [
    ("cites a snippet that was not given", sentences(("Fine.", [99]))),
    ("cites a snippet that was not given", sentences(("Fine.", [0]))),
    ("cites no snippet", sentences(("Fine.", []))),
    ("explains nothing", sentences()),
    (f"over {MAX_SENTENCES} sentences", sentences(*[("Fine.", [1])] * (MAX_SENTENCES + 1))),
    ("a link", sentences(("See https://evil.example.com/x now.", [1]))),
    ("a link", sentences(("See www.evil.example now.", [1]))),
    ("a link", sentences(("See javascript:alert now.", [1]))),
    ("a link", sentences(("See \uff48\uff54\uff54\uff50\uff53://evil now.", [1]))),
    ("names something that was not given", sentences(("See evil.example.com now.", [1]))),
    ("names something that was not given", sentences(("Write to me@evil.io now.", [1]))),
    ("markup", sentences(("See <b>this</b>.", [1]))),
    ("markup", sentences(("See [here](x).", [1]))),
    ("markup", sentences(("It is so [7].", [1]))),
    ("markup", sentences(("# Ignore the rule", [1]))),
    ("a command", sentences(("Then run kubectl delete namespace shop.", [1]))),
    ("a command", sentences(("Then run sudo reboot.", [1]))),
    ("a command", sentences(("Then `az` aks delete it.", [1]))),
    ("a credential", sentences(("The login is password=hunter2hunter2.", [1]))),
    ("not one line", sentences(("One\ntwo", [1]))),
    ("not one line", sentences(("\u202eThe other way round.", [1]))),
    ("not one line", sentences(("\x1b[31mRed.", [1]))),
    ("not one line", sentences(("x" * (MAX_SENTENCE + 1), [1]))),
    ("not one line", sentences((" ", [1]))),
    ("does not fit the schema", {"sentences": [{"text": "Fine.", "citations": ["1"]}]}),
    ("does not fit the schema", {"sentences": [{"text": "Fine.", "citations": [1], "link": "x"}]}),
    ("does not fit the schema", {"sentences": [], "operations": []}),
    ("does not fit the schema", None),
    ("the model declined to answer", "the model declined to answer"),
]


@pytest.mark.parametrize(("reason", "said"), HOSTILE)
def test_an_answer_that_may_not_be_shown_is_not_used(reason: str, said: Any) -> None:
    with pytest.raises(ValidationError, match=reason):
        told(said)


def test_a_reason_quotes_nothing_of_the_answer() -> None:
    for _, said in HOSTILE:
        with pytest.raises(ValidationError) as refused:
            told(said)
        assert not any(word in str(refused.value) for word in ("evil", "hunter2", "kubectl", "reboot", "\x1b", "alert"))


def test_a_placeholder_reads_as_stars() -> None:
    def quoting(messages: list[Any]) -> dict[str, Any]:
        word = next(w.strip('",') for w in messages[-1].content.split() if w.startswith('"redacted-'))
        return sentences((f"The value {word} is hidden.", [1]))

    text = FILE.replace("storageClassName: local-path", 'storageClassName: "AKIAIOSFODNN7EXAMPLE"')
    file, explanation = finding(text, "AKS0102")
    answer = told_by(ScriptedModel(quoting), file, explanation)
    assert answer.text == "The value *** is hidden. [1]"


def test_a_secret_is_never_shown_to_a_model() -> None:
    text = FILE.replace("stringData", "type: kubernetes.io/service-account-token\nstringData").replace("{a:", "{token:")
    model = ScriptedModel(GOOD)
    with pytest.raises(ValidationError, match="never shown to a model"):
        told_by(model, *finding(text, "AKS0739"))
    assert model.asked == []


@pytest.mark.parametrize("error", [TransientError("down"), CriticalError("no key"), BudgetSpent("the day's tokens are spent")])
def test_an_outage_is_the_callers_to_tell(error: Exception) -> None:
    with pytest.raises(type(error)):
        told(error)


def test_the_schema_is_closed() -> None:
    parts = [EXPLANATION_SCHEMA, *EXPLANATION_SCHEMA["$defs"].values()]
    assert all(part["additionalProperties"] is False and set(part["required"]) == set(part["properties"]) for part in parts)


class Terminal:
    """`aks-copilot explain a.yaml:LINE` with a model that is a server of the test's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        write(folder, a=FILE)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.set = monkeypatch.setenv

    def explain(self, there: ModelServer, *arguments: str, **settings: str) -> tuple[int, str, str]:
        for name, value in {"LLM_BASE_URL": there.url, "LLM_MODEL": "small", "LLM_TRIES": "1", **settings}.items():
            self.set(name, value)
        code = run(["explain", "a.yaml:8", *arguments])
        return code, *self.capsys.readouterr()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_command_shows_the_model_s_words_apart_and_asks_once(terminal: Terminal) -> None:
    with ModelServer(says(GOOD)) as there:
        code, text, err = terminal.explain(there)
        _, data, _ = terminal.explain(there, "--format", "json")
        assert (code, err, len(there.asked)) == (0, "", 1)
    assert "What the model scripted-1 says (read it with care)\n    The claim names a class that only the old cluster had. [1]" in text
    assert "[2] " in text
    assert "A claim that names a storage class of another cluster stays Pending" in text
    [found] = json.loads(data)["findings"]
    assert found["model"]["name"] == "scripted-1"
    assert [c["number"] for c in found["model"]["cited"]] == [1, 2]


@pytest.mark.parametrize(
    ("turn", "settings", "reason"),
    [
        (says(sentences(("See https://evil.example.com.", [1]))), {}, "holds a link"),
        (says("no JSON"), {}, "no JSON"),
        (fails(401), {}, ""),
        (fails(500), {}, ""),
        (says(GOOD), {"LLM_TOKENS_PER_DAY": "0"}, "tokens"),
    ],
)
def test_what_cannot_be_used_leaves_the_explanation_as_it_is(turn: Any, settings: dict[str, str], reason: str, terminal: Terminal) -> None:
    with ModelServer(turn) as there:
        _, without, _ = terminal.explain(there, LLM_MODE="off")
        assert there.asked == []
        code, text, err = terminal.explain(there, LLM_MODE="suggest", **settings)
    assert (code, text) == (0, without)
    assert err.startswith("aks-copilot: AKS0101 is explained without the model: ")
    assert err.count("\n") == 1
    assert reason in err
    assert "evil" not in err + text


def test_nothing_is_asked_where_the_model_is_off(terminal: Terminal) -> None:
    with ModelServer(says(GOOD)) as there:
        code, text, err = terminal.explain(there, "--no-model")
        assert (code, err, there.asked) == (0, "", [])
    assert "What the model" not in text


def test_settings_that_are_wrong_are_one_line(terminal: Terminal) -> None:
    with ModelServer(says(GOOD)) as there:
        code, text, err = terminal.explain(there, LLM_MODE="perhaps")
        assert (code, text, there.asked) == (2, "", [])
    assert err.count("\n") == 1
