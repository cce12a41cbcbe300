"""The idea agent keeps what is new, possible and honestly cited."""

from __future__ import annotations

from typing import Any

import pytest

from eidothea.agents.idea import SURPLUS, IdeaAgent
from eidothea.models.catalogue import Catalogue
from eidothea.state.idea import Idea
from eidothea.state.move import MoveUse
from eidothea.state.request import Proposals
from eidothea.tools.tasks import Task


def proposals(*ideas: Any) -> Proposals:
    return Proposals(ideas=ideas)


async def test_it_works_alone_with_defaults(task: Task, library: Any) -> None:
    proposed = await IdeaAgent(Catalogue(), library).propose(task, n=4, lessons=[])
    assert len(proposed.ideas) == 4
    assert all(idea.moves for idea in proposed.ideas)


async def test_it_asks_for_more_than_it_keeps_and_passes_key_and_seed(
    task: Task, library: Any, scripted: Any, draft: Any
) -> None:
    model = scripted(proposals(*(draft(f"Idea {i}") for i in range(6))))
    proposed = await IdeaAgent(model, library).propose(task, 3, papers=[], key="round-1", seed=9)
    request = model.requests[0]
    assert (request.name, request.key, request.seed, request.context.n) == ("propose_ideas", "round-1", 9, 3 * SURPLUS)
    assert [idea.title for idea in proposed.ideas] == ["Idea 0", "Idea 1", "Idea 2"]
    assert [reason for _, reason in proposed.dropped] == ["not among the first 3"] * 3


async def test_citations_nobody_knows_are_struck_and_counted(
    task: Task, library: Any, scripted: Any, draft: Any
) -> None:
    model = scripted(proposals(draft("A", citations=("arxiv:2", "arxiv:invented", "arxiv:1"))))
    proposed = await IdeaAgent(model, library).propose(task, 3, papers=[])
    assert proposed.ideas[0].citations == ("arxiv:2", "arxiv:1")
    assert proposed.struck == 1


async def test_duplicates_of_taken_ideas_and_of_one_another_are_dropped(
    task: Task, library: Any, scripted: Any, draft: Any
) -> None:
    uses = (MoveUse(move="averaging"),)
    taken = Idea(id="r1-01", round=1, **draft("Average weights", claim="It helps.", moves=uses).model_dump())
    model = scripted(
        proposals(
            draft("average  WEIGHTS!"),
            draft("Other words", claim="it helps"),
            draft("Same moves", moves=uses),
            draft("New"),
            draft("new."),
        )
    )
    proposed = await IdeaAgent(model, library).propose(task, 3, papers=[], taken=[taken])
    assert [idea.title for idea in proposed.ideas] == ["New"]
    assert [reason.split(" as ")[0] for _, reason in proposed.dropped] == [
        "the same title",
        "the same claim",
        "the same moves and settings",
        "the same title",
    ]


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"metric": "accuracy"}, "does not judge by"),
        ({"direction": "decrease"}, "for the worse"),
        ({"moves": (MoveUse(move="warp"),)}, "no move called 'warp'"),
        ({"moves": (MoveUse(move="epochs", settings={"epochs": 10_000}),)}, "outside"),
        ({"moves": (MoveUse(move="epochs", settings={"epochs": True}),)}, "outside"),
        ({"moves": (MoveUse(move="epochs"),)}, "takes the settings"),
    ],
)
async def test_what_cannot_be_run_or_judged_is_dropped_with_the_reason(
    task: Task, library: Any, scripted: Any, draft: Any, parts: dict[str, Any], reason: str
) -> None:
    proposed = await IdeaAgent(scripted(proposals(draft(**parts))), library).propose(task, 3, papers=[])
    assert proposed.ideas == []
    assert reason in proposed.dropped[0][1]
