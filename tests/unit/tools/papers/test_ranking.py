from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eidothea.state.answer import NoAnswer, Reply
from eidothea.state.paper import Paper
from eidothea.state.request import PaperScore, PaperScores, Request
from eidothea.state.task import TaskSpec
from eidothea.tools.papers.library import ChromaLibrary
from eidothea.tools.papers.ranking import candidates, queries, rank

TASK = TaskSpec.model_validate(
    {
        "id": "t",
        "title": "Finding errors",
        "topic": "reward models",
        "attributes": {"input": "solution steps", "output": "first wrong step", "objective": "f1"},
        "metric": {"name": "f1"},
        "commands": {"train": "x", "predict": "x"},
    }
)


class FakeModel:
    """Scores by a table; what is not in the table it leaves out."""

    name = "fake"

    def __init__(self, scores: dict[str, int]) -> None:
        self.scores, self.request = scores, None

    async def answer(self, request: Request[Any]) -> Reply[Any]:
        self.request = request
        scores = [PaperScore(paper=id, score=score, reason=f"because {score}") for id, score in self.scores.items()]
        return Reply(PaperScores(scores=tuple(scores)))

    async def close(self) -> None:
        pass


class RefusingFake(FakeModel):
    """A fake that gives no answer."""

    async def answer(self, request: Request[Any]) -> Reply[Any]:
        raise NoAnswer("I {will} not", "refusal")


@pytest.fixture
def library(tmp_path: Path, embedder: Any) -> ChromaLibrary:
    library = ChromaLibrary(tmp_path / "papers", embedder)
    library.add([Paper(id=f"arxiv:{n:02}", title=f"reward models {'steps ' * n}") for n in range(20)])
    return library


def test_queries_are_topic_and_attributes() -> None:
    assert queries(TASK)[0] == "reward models"
    assert {"solution steps", "first wrong step", "f1"} < set(queries(TASK))
    bare = TASK.model_copy(update={"attributes": type(TASK.attributes)(), "title": "reward models"})
    assert queries(bare) == ["reward models"]


def test_candidates_keep_the_best_similarity_of_any_query(library: ChromaLibrary) -> None:
    found = candidates(library, TASK, 7)
    assert len(found) == len({hit.paper.id for hit in found}) == 7
    everything = [hit for query in queries(TASK) for hit in library.search(query, 20)]
    for hit in found:
        assert hit.similarity == max(other.similarity for other in everything if other.paper == hit.paper)
    assert found[0].similarity == max(hit.similarity for hit in everything)


async def test_the_model_sees_twice_as_many_and_the_best_are_kept_in_order(library: ChromaLibrary) -> None:
    model = FakeModel({f"arxiv:{n:02}": 8 + n % 3 for n in range(20)})
    ranked = await rank(model, library, TASK, max_papers=6, seed=4)
    assert model.request is not None
    assert (model.request.name, model.request.seed, len(model.request.context.papers)) == ("score_papers", 4, 12)
    assert len(ranked) == 6
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    assert ranked[0].reason == f"because {ranked[0].score}"


async def test_low_scores_are_left_out_but_never_all(library: ChromaLibrary) -> None:
    some = {f"arxiv:{n:02}": 9 if n < 6 else 3 for n in range(20)}
    assert [r.score for r in await rank(FakeModel(some), library, TASK, max_papers=10)] == [9] * 6
    poor = dict.fromkeys(some, 2)
    assert len(await rank(FakeModel(poor), library, TASK, max_papers=10)) == 5
    assert len(await rank(FakeModel(poor), library, TASK, max_papers=10, threshold=2)) == 10


async def test_invented_papers_are_dropped_and_logged(library: ChromaLibrary, caplog: pytest.LogCaptureFixture) -> None:
    ranked = await rank(FakeModel({"arxiv:made-up": 10, "arxiv:01": 9}), library, TASK, max_papers=10)
    assert [r.paper.id for r in ranked] == ["arxiv:01"]
    assert "arxiv:made-up" in caplog.text
    unscored = await rank(FakeModel({"arxiv:made-up": 10}), library, TASK, max_papers=10)
    assert len(unscored) == 10
    assert all("none of the scored papers is one of those shown" in paper.reason for paper in unscored)


async def test_without_scores_the_nearest_papers_stand_in(library: ChromaLibrary) -> None:
    ranked = await rank(RefusingFake({}), library, TASK, max_papers=4)
    assert [r.score for r in ranked] == [1] * 4
    similarities = [float(r.reason.split("similarity ")[1].split(":")[0]) for r in ranked]
    assert similarities == sorted(similarities, reverse=True)
    assert all("I {will} not" in r.reason for r in ranked)


async def test_an_empty_library_asks_no_model(tmp_path: Path, embedder: Any) -> None:
    model = FakeModel({})
    assert await rank(model, ChromaLibrary(tmp_path / "none", embedder), TASK, max_papers=10) == []
    assert model.request is None
