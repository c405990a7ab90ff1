"""`aks-copilot kb`: the knowledge base on this machine, with no network: what the program and a team know, indexed, searched, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.console import help_without_command, paragraph, say, status
from shared.domain.errors import ValidationError
from shared.domain.retrieval.measure import Quality, quality, read_questions
from shared.services import build_knowledge, load_knowledge

if TYPE_CHECKING:
    from shared.domain.retrieval.ports import Hit, KnowledgeBase

knowledge_app = typer.Typer(
    help="The knowledge base: articles and rules, searched by words.", invoke_without_command=True, callback=help_without_command
)

Team = Annotated[
    Path | None, typer.Option("--knowledge", metavar="DIR", help="A team's own: articles/ (Markdown, text, PDF) and rules/ are added.")
]
Kept = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="A folder with an index of `kb build`; else one is made anew.")]


@knowledge_app.command("build")
def build(
    out: Annotated[Path, typer.Option("--index", metavar="DIR", help="Where the index is kept.")],
    knowledge: Team = None,
) -> None:
    """Make or bring up to date the index in a folder: only what changed is read into it. Exit code 1 where a file could not be used."""
    with status("Indexing"):
        index, done, problems = build_knowledge(out, knowledge)
    new, gone = len(done.add - done.remove), len(done.remove - done.add)
    say(f"{len(index.digests)} documents, {len(index.passages)} passages: {new} new, {len(done.add & done.remove)} changed, {gone} gone")
    for problem in problems:
        typer.echo(f"not indexed: {problem}", err=True)
    if problems:
        raise typer.Exit(1)


@knowledge_app.command("search")
def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY...", help="An error message, a field name, a question.")],
    count: Annotated[int, typer.Option("-k", min=1, max=50, help="How many articles.")] = 3,
    kept: Kept = None,
    knowledge: Team = None,
) -> None:
    """The articles that answer a question, and the rules that speak of it. Exit code 1 where there are none."""
    index, text = _index(kept, knowledge), " ".join(query)
    articles, rules = index.search(text, count), index.rules(text, count)
    for hit in articles:
        _show(hit)
    if rules:
        say(("Rules", "bold"))
    for hit in rules:
        say(f"  {hit.passage.title}")
    if not (articles or rules):
        say("Nothing found.")
        raise typer.Exit(1)


@knowledge_app.command("eval")
def evaluate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Questions: a YAML list of {question, article}.")],
    missed: Annotated[bool, typer.Option("--missed", help="Name the questions whose article is not among the first three.")] = False,
    kept: Kept = None,
    knowledge: Team = None,
) -> None:
    """How often the right article is found: first, among the first three, and the mean reciprocal rank."""
    index = _index(kept, knowledge)
    for file in files:
        found = quality(read_questions(str(file), _text(file)), lambda text: [hit.passage.slug for hit in index.search(text, 10)])
        say(f"{file.stem}: {found.questions} questions, {numbers(found)}")
        for item in found.missed if missed else ():
            say(f"  {item.article}: {item.question}")


def numbers(found: Quality) -> str:
    """The three measures in words."""
    return f"recall@1 {found.recall_1:.3f}, recall@3 {found.recall_3:.3f}, MRR {found.mrr:.3f}"


def _index(kept: Path | None, knowledge: Path | None) -> KnowledgeBase:
    if kept is not None and knowledge is not None:
        raise ValidationError("--index holds a team's articles already: give --knowledge to `kb build`")
    with status("Reading the knowledge base"):
        return load_knowledge(kept, knowledge)


def _show(hit: Hit) -> None:
    passage = hit.passage
    say((passage.title, "bold"), f" ({passage.slug})" + (f": {passage.heading}" if passage.heading else ""))
    for part in passage.text.split("\n\n")[:1]:
        paragraph(" ".join(part.split()), "  ")
    say(("  " + passage.source, "dim"))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"{file}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
