"""`make eval`: how well each way of searching finds the right article, over the labelled questions in tests/data/questions.

The files named *-heldout were written after the articles and changed nothing in them: theirs is the honest number. `mistyped` asks every
question again with two letters of its longest word swapped. The last line is what the program uses. Needs no network; where the
environment names an embedding deployment (docs/knowledge.md), that is measured too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import faiss
import numpy as np
import wordllama
from azure.identity import DefaultAzureCredential

from shared.adapters import model_key
from shared.adapters.knowledge.documents import documents
from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import CONSTANT, RULES, VECTOR_WEIGHT, Index
from shared.adapters.knowledge.keywords import Keywords
from shared.adapters.knowledge.openai_embeddings import OpenAIEmbedder
from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.retrieval.fusion import fuse
from shared.domain.retrieval.measure import Labelled, quality, read_questions
from shared.domain.retrieval.passages import Passage, passages_of
from shared.domain.retrieval.ports import Embedder, Vectors
from shared.library import SEARCH_DIMENSIONS
from shared.model_settings import ModelSettings, load_model_settings

QUESTIONS = Path(__file__).parents[1] / "tests" / "data" / "questions"
DEPTH = 100
Ranking = Callable[[str], list[int]]


class Wordllama:
    """Static embeddings of words whose weights lie in the wheel."""

    name, dimensions = "wordllama-256", 256

    def __init__(self) -> None:
        self._model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text."""
        rows: Vectors = self._model.embed(list(texts), norm=True)
        return rows


class HashedTfIdf:
    """The hashed n-grams of the program, weighted by how few passages have them; they change with every passage that comes."""

    name, dimensions = "hashed-tf-idf", HashedGrams().dimensions

    def __init__(self, texts: Sequence[str]) -> None:
        rows = HashedGrams().embed(texts)
        self._idf = np.log((1 + len(rows)) / (1 + (rows > 0).sum(axis=0))).astype(np.float32) + 1

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text."""
        rows = HashedGrams().embed(texts) * self._idf
        faiss.normalize_L2(rows)
        return rows


def main() -> None:
    """Print every choice."""
    files = {path.stem: read_questions(path.name, path.read_text(encoding="utf-8")) for path in sorted(QUESTIONS.glob("*.yaml"))}
    files["all"] = [item for questions in files.values() for item in questions]
    files["mistyped"] = [Labelled(mistyped(item.question), item.article) for item in files["all"]]
    everything = documents()
    passages = [p for d in everything if not d.name.startswith(RULES) for p in passages_of(d)]
    print(f"{len(passages)} passages of articles; recall@1 / recall@3 / MRR\n{'':<34}{''.join(f'{name:>20}' for name in files)}")
    for name, ranking in choices([p.searchable for p in passages]).items():
        line(name, files, lambda text, ranking=ranking: slugs(passages, ranking(text)))
    started = perf_counter()
    index = Index(HashedGrams())
    index.update(everything)
    built = perf_counter() - started
    line("chosen, among articles and rules", files, lambda text: [hit.passage.slug for hit in index.search(text, 10)])
    print(f"chosen: built of {len(index.passages)} passages in {built:.1f} s, {len(index.to_bytes()) / 1e6:.1f} MB")


def line(name: str, files: dict[str, list[Labelled]], search: Callable[[str], list[str]]) -> None:
    """One choice over all files."""
    found = [quality(questions, search) for questions in files.values()]
    print(f"{name:<34}" + "".join(f"{q.recall_1:>8.3f} {q.recall_3:.3f} {q.mrr:.3f}" for q in found), flush=True)


def choices(texts: list[str]) -> dict[str, Ranking]:
    """The rankings by name."""
    words = Keywords(texts)
    by_words: Ranking = lambda query: words.ranking(query, DEPTH)  # noqa: E731
    embedders = (Wordllama(), HashedGrams(), HashedGrams(SEARCH_DIMENSIONS), HashedTfIdf(texts))
    static, grams, fewer, tf_idf = (nearest(texts, embedder) for embedder in embedders)
    theirs = {settings.embedding_model: nearest(texts, deployment(settings))} if (settings := load_model_settings()).embedding_model else {}
    return {
        "BM25": by_words,
        "wordllama": static,
        "hashed n-grams": grams,
        "hashed TF-IDF": tf_idf,
        "BM25 + wordllama, RRF 60": fused((1, by_words), (1, static), constant=60),
        "BM25 + 0.3 wordllama, RRF 10": fused((1, by_words), (0.3, static), constant=10),
        "BM25 + hashed TF-IDF, RRF 60": fused((1, by_words), (1, tf_idf), constant=60),
        "BM25 + hashed n-grams, RRF 60": fused((1, by_words), (1, grams), constant=60),
        f"BM25 + {VECTOR_WEIGHT} hashed n-grams, RRF {CONSTANT}": fused((1, by_words), (VECTOR_WEIGHT, grams), constant=CONSTANT),
        f"the same of {SEARCH_DIMENSIONS} dimensions": fused((1, by_words), (VECTOR_WEIGHT, fewer), constant=CONSTANT),
        "all three, RRF 10": fused((1, by_words), (0.5, tf_idf), (0.3, static), constant=10),
        **theirs,
        **{f"BM25 + 0.5 {name}, RRF 10": fused((1, by_words), (0.5, ranking), constant=10) for name, ranking in theirs.items()},
    }


def deployment(settings: ModelSettings) -> Embedder:
    """The embedding deployment of the environment; its key is that of the model."""
    return OpenAIEmbedder(settings, model_key.build(settings.auth, EnvironmentSecrets(), DefaultAzureCredential))


def nearest(texts: list[str], embedder: Embedder) -> Ranking:
    """Ranking by vectors in FAISS."""
    index = faiss.IndexFlatIP(embedder.dimensions)
    index.add(embedder.embed(texts))
    return lambda query: [int(n) for n in index.search(embedder.embed([query]), min(DEPTH, len(texts)))[1][0]]


def fused(*parts: tuple[float, Ranking], constant: int) -> Ranking:
    """Weighted rankings made one."""
    return lambda query: [place for place, _ in fuse([(weight, ranking(query)) for weight, ranking in parts], constant)]


def slugs(passages: Sequence[Passage], places: list[int]) -> list[str]:
    """The articles of these passages, each once."""
    return list(dict.fromkeys(passages[place].slug for place in places))


def mistyped(question: str) -> str:
    """Two neighbouring letters of the longest word swapped; the same for the same question."""
    longest = max(question.split(), key=len)
    if len(longest) < 4:
        return question
    at = random.Random(question).randrange(1, len(longest) - 2)  # noqa: S311 (no secret)
    return question.replace(longest, longest[:at] + longest[at + 1] + longest[at] + longest[at + 2 :], 1)


if __name__ == "__main__":
    main()
