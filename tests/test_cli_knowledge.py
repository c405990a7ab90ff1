"""`aks-copilot kb`: builds, searches and measures with no network; what it cannot use is one line."""

from __future__ import annotations

from pathlib import Path

from cli_process import aks_copilot

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def test_build_says_what_it_did_and_search_uses_it(tmp_path: Path) -> None:
    team = tmp_path / "team"
    (team / "articles").mkdir(parents=True)
    (team / "articles" / "zebra.md").write_text("# Zebra stripes\nRun the zebrafish procedure.\n\nThen rest.")
    built = [aks_copilot("kb", "build", "--index", tmp_path / "kb", "--knowledge", team, **NO_NETWORK) for _ in range(2)]
    assert [done.returncode for done in built] == [0, 0], built[0].stderr
    assert b": 0 new, 0 changed, 0 gone" not in built[0].stdout
    assert b": 0 new, 0 changed, 0 gone" in built[1].stdout
    gone = aks_copilot("kb", "search", "zebrafish", "--index", tmp_path / "kb").stdout.decode()
    assert gone.startswith("Zebra stripes (zebra)\n  Run the zebrafish procedure.\n  articles/zebra.md\n")
    assert b"0 new, 0 changed, 1 gone" in aks_copilot("kb", "build", "--index", tmp_path / "kb").stdout


def test_search_finds_articles_and_rules_without_an_index() -> None:
    done = aks_copilot("kb", "search", "-k", "1", 'no matches for kind "DeploymentConfig"', **NO_NETWORK)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, done.stderr
    assert "(deploymentconfig-to-deployment)" in lines[0]
    assert lines[-2] == "Rules"
    assert lines[-1].startswith("  AKS")


def test_nothing_found_is_exit_code_one() -> None:
    done = aks_copilot("kb", "search", "???")
    assert (done.returncode, done.stdout) == (1, b"Nothing found.\n")


def test_eval_gives_the_measures_and_names_what_was_missed(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text(
        '- {question: "no matches for kind DeploymentConfig", article: deploymentconfig-to-deployment}\n'
        '- {question: "DeploymentConfig", article: no-such-article}\n'
    )
    done = aks_copilot("kb", "eval", "--missed", tmp_path / "q.yaml")
    assert done.stdout.decode() == ("q: 2 questions, recall@1 0.500, recall@3 0.500, MRR 0.500\n  no-such-article: DeploymentConfig\n"), (
        done.stderr
    )


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("{")
    (tmp_path / "knowledge.index").write_bytes(b"broken")
    for arguments in (
        ("search", "x", "--index", tmp_path / "none"),
        ("search", "x", "--index", tmp_path),
        ("search", "x", "--index", tmp_path, "--knowledge", tmp_path),
        ("search", "x", "--knowledge", tmp_path),
        ("eval", tmp_path / "q.yaml"),
        ("eval", tmp_path / "none.yaml"),
        ("build", "--index", tmp_path / "q.yaml"),
    ):
        done = aks_copilot("kb", *arguments)
        assert (done.returncode, done.stdout) == (2, b""), arguments
        assert done.stderr.count(b"\n") == 1, done.stderr
