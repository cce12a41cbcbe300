"""What every paper source and every embedder must do."""

from __future__ import annotations

import math

import pytest

from eidothea import plugins
from eidothea.protocols import Embedder, PaperSource

SOURCES = plugins.names("tools.papers.sources")
EMBEDDERS = plugins.names("tools.papers.embedders")


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_lists_papers_with_ids_of_their_own(name: str) -> None:
    source: PaperSource = plugins.load("tools.papers.sources", name)()
    papers = source.papers()
    assert source.name
    assert papers
    assert len({paper.id for paper in papers}) == len(papers)
    assert all(paper.title.strip() for paper in papers)
    assert list(source.papers()) == list(papers)


@pytest.fixture(scope="module", params=EMBEDDERS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    made: Embedder = plugins.load("tools.papers.embedders", request.param)()
    return made


def test_vectors_have_the_dimension_and_length_one(embedder: Embedder) -> None:
    for vector in embedder.embed(["process reward model", "", "∑ 数学 \n\t", "word " * 2000]):
        assert len(vector) == embedder.dimension
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)


def test_a_vector_does_not_depend_on_what_else_is_asked(embedder: Embedder) -> None:
    texts = ["tree search", "a much longer text about reward models and their training", "tree search"]
    together = embedder.embed(texts)
    assert together[0] == together[2]
    assert [embedder.embed([text])[0] for text in texts] == together
    assert embedder.embed([]) == []


def test_near_texts_are_near(embedder: Embedder) -> None:
    one, near, far = embedder.embed(["training a reward model", "training reward models", "cooking rice"])
    assert dot(one, near) > dot(one, far)


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
