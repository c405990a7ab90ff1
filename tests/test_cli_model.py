"""`fix` with a language model and without: what it says, what it keeps, what it never loads."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cli_process import aks_copilot, write
from llm_support import RIGHT, answer
from llm_work_support import DRAFT, MENDED, QUIET, UNKNOWN
from model_server import Asked, ModelServer, Turn, dropped, fails, says

from shared.cli import main
from shared.cli.model import cache_folder, chosen_model

HEAVY = "openai", "faiss", "bm25s", "sqlite3", "shared.domain.llm.work", "shared.domain.llm.repair", "shared.pipeline.model_run"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("LLM_MODE", "LLM_BASE_URL", "LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return write(tmp_path / "shop", deploy_yaml=QUIET)


def fix(app: Path, there: ModelServer, monkeypatch: pytest.MonkeyPatch, *options: str, **settings: str) -> int:
    for name, value in {"LLM_BASE_URL": there.url, "LLM_MODEL": "small", "LLM_TRIES": "1", **settings}.items():
        monkeypatch.setenv(name, value)
    return main.run(["fix", str(app), "--out", str(app.parent / "out"), "--report-dir", str(app.parent / "reports"), *options])


def test_without_a_model_nothing_of_one_is_loaded_and_one_line_says_what_it_would_add(app: Path) -> None:
    code = (
        "import sys; from shared.cli.main import run; "
        f"run(['fix', {str(app)!r}, '--diff']); print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    text = aks_copilot("fix", app, "--out", app.parent / "out").stdout.decode()
    assert "1 of the findings left could be put to a language model: see docs/model.md" in " ".join(text.split())


def test_a_model_that_is_set_up_suggests(app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer(says(RIGHT)) as there:
        code = fix(app, there, monkeypatch)
    said = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert (app.parent / "out/deploy.yaml").read_text() == QUIET
    assert "suggested: Suggested by a language model, applied where LLM_MODE is apply. scripted-1 says: Done." in said
    assert "scripted-1 was asked about 1 finding: 1 suggested. 100 tokens in, 20 out." in said


def test_the_option_stands_above_the_environment(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(says(RIGHT)) as there:
        assert fix(app, there, monkeypatch, "--model", "off", LLM_MODE="apply") == 1
        assert there.asked == []
        assert fix(app, there, monkeypatch, "--model", "apply", LLM_MODE="off") == 0
    assert (app.parent / "out/deploy.yaml").read_text() == MENDED


def test_a_second_run_asks_nobody_and_writes_the_same_bytes(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = app.parent / "reports"
    with ModelServer(says(RIGHT)) as there:
        fix(app, there, monkeypatch)
        before = {p.name: p.read_bytes() for p in reports.iterdir()}
        shutil.rmtree(app.parent / "out")
        fix(app, there, monkeypatch)
    assert len(there.asked) == 1
    assert {p.name: p.read_bytes() for p in reports.iterdir()} == before


def test_the_cache_is_for_its_owner_alone_and_holds_no_question(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(says(RIGHT)) as there:
        fix(app, there, monkeypatch)
    kept = cache_folder() / "model.sqlite3"
    assert kept.is_relative_to(app.parent)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert b"registry.example.com" not in kept.read_bytes()


def test_a_draft_stands_as_a_comment_at_its_question(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "data.yaml").write_text(UNKNOWN)
    with ModelServer(says(answer(decision=DRAFT))) as there:
        fix(app, there, monkeypatch, "--model", "apply")
    text = (app.parent / "out/.aks-copilot.yaml").read_text()
    assert '#   # A language model would answer "managed-csi-premium"; nobody has taken it.\n#   "fast-tier-7": "managed-csi"\n' in text
    assert (app.parent / "out/data.yaml").read_text() == UNKNOWN


@pytest.mark.parametrize("turn", [fails(401), fails(500), dropped, says("no")])
def test_a_model_that_does_not_work_costs_nothing_but_its_repairs(app: Path, monkeypatch: pytest.MonkeyPatch, turn: Turn) -> None:
    with ModelServer(turn) as there:
        assert fix(app, there, monkeypatch, "--model", "apply") == 1
    report = json.loads((app.parent / "reports/report.json").read_bytes())
    (found,) = [v for f in report["files"] for v in f["violations"]]
    assert found["resolution"] == "needs-human"
    assert found["model"]["status"] in ("refused", "not-asked")
    assert found["model"]["reasons"]
    assert (app.parent / "out/deploy.yaml").read_text() == QUIET


def test_questions_that_fail_at_once_are_one_line_of_the_log(
    app: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (app / "second.yaml").write_text(QUIET)
    together = threading.Barrier(2, timeout=20)

    def both(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        together.wait()
        fails(401)(handler, asked)

    with ModelServer(both) as there:
        assert fix(app, there, monkeypatch) == 1
    assert len(there.asked) == 2
    assert caplog.text.count("model is down") == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LLM_MODE": "apply"}, "LLM_MODEL is missing"),
        ({"LLM_MODE": "yes"}, "LLM_MODE must be"),
        ({"LLM_MODEL": "m"}, "LLM_BASE_URL is missing"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: dict[str, str], said: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main.run(["fix", str(app), "--diff"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert main.run(["inspect", str(app)]) == 1


def test_a_cache_that_cannot_be_used_is_said_at_the_finding(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / "model.sqlite3").write_bytes(b"not a database, and long enough for SQLite to notice" * 10)
    with ModelServer(says(RIGHT)) as there:
        assert fix(app, there, monkeypatch) == 1
    report = json.loads((app.parent / "reports/report.json").read_bytes())
    (found,) = [v["model"] for f in report["files"] for v in f["violations"]]
    assert found["status"] == "not-asked"
    assert "delete it to begin anew" in found["reasons"][0]


def test_the_cache_lies_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "aks-copilot"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/her")
    assert cache_folder() == Path("/home/her/.cache/aks-copilot")
    monkeypatch.setenv("LLM_MODE", "off")
    assert chosen_model(None).mode == "off"
