"""A small request with a plain prompt, for tests of models that do not care what is asked."""

from __future__ import annotations

from pydantic import BaseModel, Field

from eidothea.protocols import ModelOptions
from eidothea.settings import Settings
from eidothea.state.answer import Prompt
from eidothea.state.request import Context, Request

SYSTEM = "You are asked for a number.\nAnswer in JSON."


class Question(Context):
    text: str = "What is it?"


class Number(BaseModel):
    """A number with the reason for it."""

    number: int = Field(ge=0, le=100)
    reason: str = ""


def render(name: str, context: Context, room: int | None = None) -> Prompt:
    assert isinstance(context, Question)
    return Prompt(SYSTEM, f"## {name}\n{context.text}\n{context.problem}")


def options(told: list[str] | None = None, **settings: object) -> ModelOptions:
    lines = [] if told is None else told
    return ModelOptions(render, Settings.model_validate(settings), lines.append)


def question(text: str = "What is it?", key: str = "r1-01/code/1", seed: int = 7, name: str = "ask") -> Request[Number]:
    return Request(name, key, Question(text=text), Number, seed)
