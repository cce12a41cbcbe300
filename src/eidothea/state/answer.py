"""What comes back from a model: an answer or the reason for none, what it cost, and who pays."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from eidothea.errors import ModelMistake
from eidothea.state.base import Value

A = TypeVar("A", bound=BaseModel)
Why = Literal["refusal", "length", "empty", "schema"]
Outcome = Literal["answered", "mistake"] | Why  # "mistake": the model has no answer to give


class Tokens(Value):
    """Tokens and their cost in dollars; `cached` are those of the input that the provider's prompt cache served.

    `usd` is None when the model's price is unknown: never a silent zero.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Tokens) -> Tokens:
        known = self.usd is not None and other.usd is not None
        return Tokens(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            output=self.output + other.output,
            usd=(self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True)
class Prompt:
    """What a language model is sent: the system message, then the request."""

    system: str
    user: str


@dataclass(frozen=True)
class Reply(Generic[A]):
    """An answer, the text it was parsed from, the prompt it answers (None where nothing was rendered), its cost."""

    value: A
    text: str = ""
    prompt: Prompt | None = None
    tokens: Tokens = field(default_factory=Tokens)


class NoAnswer(ModelMistake):
    """A model was asked and gave no usable answer; the agent decides what follows.

    `why` tells a refusal, an answer cut off at the length limit, an empty one and one that does not fit its schema
    apart. What the question cost is counted all the same.
    """

    def __init__(
        self, message: str, why: Why, *, tokens: Tokens | None = None, text: str = "", prompt: Prompt | None = None
    ) -> None:
        super().__init__(message)
        self.why = why
        self.tokens = tokens or Tokens()
        self.text = text
        self.prompt = prompt


class Hold(Protocol):
    """Money and tokens kept back for one send."""

    def settle(self, spent: Tokens) -> None:
        """Say what the send really used; without it the worst case stands."""
        ...


class Account(Protocol):
    """Who pays for a request. Every send is kept back at its worst case before it goes out, and settled after."""

    def hold(self, worst: Tokens) -> AbstractAsyncContextManager[Hold]:
        """Keep back the worst case while a send is under way; waits while other sends may still free enough.

        Raises BudgetSpent when the budget cannot bear it, and Missing when it is in dollars and `worst.usd` is None.
        """
        ...


class _Nothing:
    def settle(self, spent: Tokens) -> None: ...


class Unlimited:
    """The account of an agent that is used alone: nothing is counted."""

    def hold(self, worst: Tokens) -> AbstractAsyncContextManager[Hold]:
        return nullcontext(_Nothing())
