"""A request for ideas that the catalogue, too, can answer: what the contract suite over models asks."""

from __future__ import annotations

from eidothea.state.answer import Account, Unlimited
from eidothea.state.edit import Edit
from eidothea.state.move import IntParam, Move
from eidothea.state.request import Proposals, ProposeContext, Request
from eidothea.state.task import Commands, Limits, Metric, TaskSpec

MOVE = Move(
    name="longer",
    title="Longer training",
    changes="the steps",
    mechanism="More steps fit better.",
    params={"steps": IntParam(low=1, high=900)},
    edits=(Edit(path="a.py", search="STEPS = 1", replace="STEPS = $steps"),),
)
TASK = TaskSpec(
    id="t", title="t", topic="t", metric=Metric(name="f1"), commands=Commands(train="a", predict="b"), limits=Limits()
)
CONTEXT = ProposeContext(task=TASK, readme="", baseline={"a.py": "STEPS = 1\n"}, papers=(), moves=(MOVE,), n=2)


def asked(seed: int = 0, account: Account | None = None) -> Request[Proposals]:
    return Request("propose_ideas", f"r1/ideas/{seed}", CONTEXT, Proposals, seed, account or Unlimited())
