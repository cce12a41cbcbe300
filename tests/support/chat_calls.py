"""A question, its answer type and a model to ask: what the tests of chat back ends share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

from eidothea.models._chat.dialect import forget
from eidothea.models.openai import OpenAIModel
from eidothea.protocols import ModelOptions
from eidothea.settings import Settings
from eidothea.state.answer import NoAnswer, Prompt, Tokens
from eidothea.state.request import Context, Request


class Question(Context):
    text: str


class Answer(BaseModel):
    number: int
    note: str = Field(default="", max_length=100)


@dataclass
class FakeAccount:
    """Keeps every hold with what it was settled at (None: never)."""

    holds: list[tuple[Tokens, Tokens | None]] = field(default_factory=list)

    @asynccontextmanager
    async def hold(self, worst: Tokens) -> AsyncIterator[FakeHold]:
        hold = FakeHold()
        try:
            yield hold
        finally:
            self.holds.append((worst, hold.spent))

    @property
    def settled(self) -> list[Tokens | None]:
        return [spent for _, spent in self.holds]


class FakeHold:
    spent: Tokens | None = None

    def settle(self, spent: Tokens) -> None:
        self.spent = spent


def fake_render(name: str, context: Context, room: int | None = None) -> Prompt:
    """The question's text, cut to the room; like the real one it gives up when nothing would be left."""
    text = f"{name}: {getattr(context, 'text', '')}"
    if room is not None and room < 20:
        raise NoAnswer("no room", "length")
    return Prompt("You answer.", text if room is None else text[: max(0, room - len("You answer."))])


@dataclass
class Desk:
    """A model, and what it told and waited."""

    model: OpenAIModel
    told: list[str]
    waits: list[float]
    account: FakeAccount

    def request(self, text: str = "seven?", key: str = "r1-01/code/1", seed: int = 5) -> Request[Answer]:
        return Request("ask", key, Question(text=text), Answer, seed, self.account)


@asynccontextmanager
async def desk(url: str, model: str = "m", **settings: Any) -> AsyncIterator[Desk]:
    """A fresh model of a server, which does not really wait between tries."""
    told: list[str] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    forget()
    options = ModelOptions(fake_render, Settings(**({"OPENAI_API_KEY": "k-1"} | settings)), told.append)
    created = OpenAIModel.create(f"{model}@{url}", options)
    created._sender.sleep = sleep
    try:
        yield Desk(created, told, waits, FakeAccount())
    finally:
        await created.close()
