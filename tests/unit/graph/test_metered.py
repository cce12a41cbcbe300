from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from eidothea.budget import Budget
from eidothea.errors import BudgetSpent
from eidothea.graph.metered import MeteredModel
from eidothea.graph.stopping import Stopper
from eidothea.ledger.store import Ledger
from eidothea.state.request import Reply, Request, Tokens
from eidothea.state.run import RunRequest

A = TypeVar("A", bound=BaseModel)


class Question(BaseModel):
    text: str


class Answer(BaseModel):
    number: int


class CountingFake:
    """A fake model that counts how often it is really asked."""

    name = "fake"

    def __init__(self) -> None:
        self.asked = 0

    @classmethod
    def create(cls, argument: str, options: dict[str, Any]) -> CountingFake:
        return cls()

    async def answer(self, request: Request[A]) -> Reply[A]:
        self.asked += 1
        return Reply(request.answer.model_validate({"number": self.asked}), tokens=Tokens(input=60, output=40, usd=0.5))

    async def close(self) -> None: ...


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path / 'eidothea.db'}")


def metered(ledger: Ledger, fake: CountingFake, **limits: Any) -> MeteredModel:
    request = RunRequest.model_validate({"task": "t"} | limits)
    budget = Budget(request, lambda: ledger.spending("r"), lambda seconds: None)
    return MeteredModel(fake, "idea", "r", ledger, budget, Stopper())


def request(text: str, key: str = "k") -> Request[Answer]:
    return Request("propose_ideas", key, Question(text=text), Answer)


async def test_an_answer_is_paid_for_once(ledger: Ledger) -> None:
    fake = CountingFake()
    first = await metered(ledger, fake).answer(request("what?"))
    again = await metered(ledger, CountingFake()).answer(request("what?"))  # as after a restart
    assert (first.value, again.value, fake.asked) == (Answer(number=1), Answer(number=1), 1)
    assert ledger.spending("r").calls == 1


async def test_another_question_under_the_same_key_is_asked(ledger: Ledger) -> None:
    fake = CountingFake()
    model = metered(ledger, fake)
    await model.answer(request("what?"))
    assert (await model.answer(request("what else?"))).value == Answer(number=2)


async def test_calls_are_attributed_and_counted(ledger: Ledger) -> None:
    await metered(ledger, CountingFake()).answer(request("what?"))
    (call,) = ledger.calls("r")
    assert (call.agent, call.model, call.name) == ("idea", "fake", "propose_ideas")
    assert (ledger.spending("r").tokens, ledger.spending("r").usd) == (100, 0.5)


async def test_a_spent_budget_asks_nothing(ledger: Ledger) -> None:
    fake = CountingFake()
    model = metered(ledger, fake, budget_tokens=100)
    await model.answer(request("what?"))
    with pytest.raises(BudgetSpent, match="--budget-tokens"):
        await model.answer(request("what else?"))
    assert fake.asked == 1
    assert (await model.answer(request("what?"))).value == Answer(number=1)
