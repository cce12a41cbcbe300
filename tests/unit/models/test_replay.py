"""A recording answers what it knows, in order, and says what is nearest to what it does not know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from questions import Number, Question, options, question, render

from eidothea.errors import Missing, WrongUse
from eidothea.models._recorder import Recorder
from eidothea.models.replay import Replay
from eidothea.state.answer import NoAnswer, Tokens
from eidothea.state.record import CallRecord
from eidothea.state.request import Request


class Recorded:
    """A recording in the making: each line is one call with the number that answered it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._recorder = Recorder(file, render, "by a test", "a-run")

    def add(self, request: Request[Any], number: int = 0, model: str = "m", **more: Any) -> Recorded:
        fields = {"answer": json.dumps({"number": number}), "parameters": {"model": model}} | more
        call = CallRecord(
            run="a-run", key=request.key, name=request.name, agent="coder", model="x", fingerprint="f", **fields
        )
        self._recorder.write(call, request)
        return self

    @property
    def model(self) -> Replay:
        return Replay.create(str(self.file), options())


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "a.jsonl")


async def number(model: Replay, request: Request[Number]) -> int:
    return (await model.answer(request)).value.number


async def unknown(model: Replay, request: Request[Any]) -> str:
    with pytest.raises(Missing) as caught:
        await model.answer(request)
    return str(caught.value)


async def test_the_recorded_answer_comes_back_and_costs_nothing(recorded: Recorded) -> None:
    reply = await recorded.add(question(), 42).model.answer(question())
    assert reply.value == Number(number=42)
    assert reply.prompt == render("ask", question().context)
    assert reply.tokens == Tokens()
    assert Number.model_validate_json(reply.text) == reply.value


async def test_a_request_asked_again_is_answered_in_order_until_nothing_is_left(recorded: Recorded) -> None:
    model = recorded.add(question(), 1).add(question("else"), 9).add(question(), 2).model
    assert [await number(model, question()) for _ in range(2)] == [1, 2]
    assert "has no further answer to ask 'r1-01/code/1': its 2 answers" in await unknown(model, question())
    assert await number(model, question("else")) == 9


async def test_each_call_gets_its_own_answer_whichever_is_asked_first(recorded: Recorded) -> None:
    calls = [question(key=f"r1-0{n}/code/1") for n in (1, 2, 3)]
    for n, each in enumerate(calls):
        recorded.add(each, n)
    model = recorded.model
    assert [await number(model, each) for each in reversed(calls)] == [2, 1, 0]


async def test_a_resumed_run_gets_the_answers_that_are_left(recorded: Recorded) -> None:
    calls = [question(key=f"r1-0{n}/code/1") for n in (1, 2, 3)]
    for n, each in enumerate(calls):
        recorded.add(each, n)
    # The ledger has the answer to the first call: a new process is not asked for it.
    assert [await number(recorded.model, each) for each in calls[1:]] == [1, 2]


async def test_another_caller_gets_the_answers_in_order(recorded: Recorded) -> None:
    model = recorded.add(question(), 1).add(question(key="r1-02/code/1"), 2).model
    assert [await number(model, question(key="elsewhere")) for _ in range(2)] == [1, 2]


async def test_numbers_measured_on_another_machine_do_not_matter(recorded: Recorded) -> None:
    model = recorded.add(question("f1 0.7123 after 3 rounds"), 1).model
    assert await number(model, question("f1 0.7124 after 3 rounds")) == 1


async def test_agents_may_have_been_answered_by_differing_models(recorded: Recorded) -> None:
    model = recorded.add(question("a"), 1, model="A").add(question("b"), 2, model="B").model
    assert [await number(model, question(text)) for text in ("b", "a")] == [2, 1]


async def test_what_was_no_answer_is_none_again(recorded: Recorded) -> None:
    model = recorded.add(question(), answer="", outcome="length", problem="it was cut off").model
    with pytest.raises(NoAnswer, match="it was cut off") as caught:
        await model.answer(question())
    assert (caught.value.why, caught.value.tokens) == ("length", Tokens())


async def test_an_unknown_request_shows_the_nearest_one(recorded: Recorded) -> None:
    lines = "\n".join(f"line {n}" for n in range(100))
    recorded.add(question(f"{lines}\nthe end", key="near")).add(question("far")).add(question(lines, name="other"))
    said = await unknown(recorded.model, question(f"{lines}\nan end of 0.5"))
    first, *diff = said.splitlines()
    assert "has no answer to ask 'r1-01/code/1'; the nearest is ask 'near', whose prompt differs; run it with" in first
    assert diff[:2] == ["--- recorded", "+++ asked"]
    assert {"-the end", "+an end of #"} <= set(diff)
    assert len(diff) <= 20


async def test_a_long_difference_is_cut(recorded: Recorded) -> None:
    recorded.add(question("\n".join(f"was {n}" for n in range(50))))
    said = await unknown(recorded.model, question("\n".join(f"is {n} " + "x" * 500 for n in range(50))))
    diff = said.splitlines()[1:]
    assert len(diff) == 20
    assert diff[-1].startswith("… and ")
    assert max(map(len, diff)) <= 200


async def test_a_request_that_differs_in_its_seed_only_says_so(recorded: Recorded) -> None:
    model = recorded.add(question()).model
    assert "which differs only in its seed (7 there, 8 here)" in await unknown(model, question(seed=8))


async def test_a_request_that_differs_in_its_schema_only_says_so(recorded: Recorded) -> None:
    class Other(BaseModel):
        number: float

    model = recorded.add(question()).model
    said = await unknown(model, Request("ask", "k", Question(), Other, 7))
    assert "which differs only in the schema of its answer" in said
    assert said.count("\n") == 0


async def test_a_request_of_another_name_is_shown_when_there_is_no_other(recorded: Recorded) -> None:
    assert "the nearest is ask " in await unknown(recorded.add(question()).model, question(name="other"))


async def test_a_recording_without_lines_knows_nothing(recorded: Recorded) -> None:
    assert "nor to any other request" in await unknown(recorded.model, question())


async def test_an_edited_answer_that_does_not_fit_is_named(recorded: Recorded) -> None:
    recorded.add(question(), 101)
    assert "the answer to ask 'r1-01/code/1'" in (said := await unknown(recorded.model, question()))
    assert "(number: Input should be less than or equal to 100)" in said


@pytest.mark.parametrize(("argument", "said"), [("", "say which recording"), ("nowhere.jsonl", "cannot be read")])
def test_mistakes_are_told_before_a_run_starts(argument: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        Replay.create(argument, options())
