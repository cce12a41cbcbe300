"""What every model promises, over all that can answer without a network."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from eidothea import plugins
from eidothea.errors import ModelMistake, WrongUse
from eidothea.models.catalogue import Catalogue
from eidothea.protocols import Model
from eidothea.state.edit import Edit
from eidothea.state.move import IntParam, Move
from eidothea.state.request import Proposals, ProposeContext, Request, Tokens
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


@pytest.fixture(params=[Catalogue])
def model(request: pytest.FixtureRequest) -> Model:
    created: Model = request.param.create("", {})
    return created


def asked(seed: int = 0) -> Request[Proposals]:
    return Request("propose_ideas", "k", CONTEXT, Proposals, seed)


async def test_the_answer_has_the_type_that_was_asked_for(model: Model) -> None:
    reply = await model.answer(asked())
    assert isinstance(reply.value, Proposals)
    assert 1 <= len(reply.value.ideas) <= 2
    assert Proposals.model_validate_json(reply.text) == reply.value
    assert isinstance(reply.tokens, Tokens)


async def test_the_same_request_gets_the_same_answer_whatever_came_between(model: Model) -> None:
    first = await model.answer(asked())
    await model.answer(asked(1))
    assert (await model.answer(asked())).text == first.text


async def test_a_request_it_cannot_answer_is_a_mistake_and_not_a_crash(model: Model) -> None:
    with pytest.raises(ModelMistake):
        await model.answer(Request("unheard_of", "k", TASK, Proposals))


async def test_closing_is_harmless(model: Model) -> None:
    await model.close()


@pytest.mark.parametrize("name", plugins.names("models"))
def test_every_plug_in_has_the_shape_of_the_protocol(name: str) -> None:
    plugin: Any = plugins.load("models", name)
    assert inspect.iscoroutinefunction(plugin.answer)
    assert inspect.iscoroutinefunction(plugin.close)
    assert list(inspect.signature(plugin.create).parameters) == ["argument", "options"]
    assert isinstance(getattr(plugin, "name", ""), str)


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(WrongUse, match=r"there are: catalogue, .*openai"):
        plugins.load("models", "oracle")
