"""One request, from its prompt to a value of its answer type, over as many turns as that takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Generic, TypeVar

from pydantic import BaseModel

from eidothea.errors import Missing
from eidothea.models._chat.dialect import Dialect
from eidothea.models._chat.form import SAID, Ask, Form, Message, shaped
from eidothea.models._chat.sender import Sender
from eidothea.models._chat.stream import Heard
from eidothea.models._chat.text import Misfit, clean, parsed
from eidothea.models._chat.trouble import Declined, Overflow, Refused
from eidothea.state.answer import NoAnswer, Prompt, Reply, Tokens, Why
from eidothea.state.request import Request

A = TypeVar("A", bound=BaseModel)

_REPAIRS = 1  # turns in which the model may mend an answer that does not fit
_SHOWN = 20_000  # characters of its own answer that a model is shown again
_CHARACTERS = 3  # a token has about so many, in prompts full of code and numbers
_RESERVED = 64  # tokens of a chat template
_SMALLEST = 512  # characters: below that no prompt says anything
_SHORTER = 0.5  # of a prompt that was too long by an unknown length
_MARGIN = 0.9  # what is left of a text may hold more tokens than what was cut from it


class Conversation(Generic[A]):
    """The turns of one request. `context` is the model's context in tokens where it is known."""

    def __init__(
        self, request: Request[A], sender: Sender, dialect: Dialect, *, max_output: int, context: int | None
    ) -> None:
        self.request, self.sender, self.dialect = request, sender, dialect
        self.max_output, self.context = max_output, context
        self.shaped = shaped(request.answer, sender.served.shape)
        self.prompt = Prompt("", "")
        self.spent = Tokens()
        self.text = ""
        self.shortened = False

    async def run(self) -> Reply[A]:
        """The answer; raises as `protocols.Model.answer` says."""
        self.prompt = self._rendered(self._room())
        form, repairs, messages, lax = self.dialect.form_of(self.request.name), _REPAIRS, self._first(), False
        while True:
            heard, form = await self._heard(messages, form)
            messages = messages if len(messages) > 2 else self._first()  # may have been shortened
            try:
                value = parsed(self._said(heard), self.request.answer)
            except Misfit as misfit:
                if heard.cut:
                    raise self._none("the answer was cut off at the length limit", "length") from misfit
                if misfit.kind == "prose" and not self.dialect.proven and (lower := form.lower()):
                    self._tell(form, lower, "does not heed")
                    form, messages = lower, self._first()
                    continue
                lax = lax or misfit.kind in ("prose", "shape")
                if not repairs:
                    self._learn(form, lax, fitted=False)
                    raise self._none(f"the answer does not fit its schema: {misfit}", "schema") from misfit
                repairs, messages = repairs - 1, [*messages, *self._told(heard.text, misfit, form)]
                continue
            self._learn(form, lax, fitted=True)
            return Reply(value, self.text, self.prompt, self.spent)

    async def _heard(self, messages: list[Message], form: Form) -> tuple[Heard, Form]:
        """One turn, put in another form as long as the server does not take it; says in which it was taken."""
        others: Iterator[Form] | None = None
        first: Refused | None = None
        tried: set[tuple[Form, int]] = set()
        while True:
            tried.add((form, self._output()))
            try:
                heard, spent = await self.sender.send(self._ask(messages), form, self.request)
            except Refused as refused:
                first = first or refused
                if refused.at_most and "limit" in refused.blames and refused.at_most < self._output():
                    self.dialect.max_output = refused.at_most
                others = others or form.others()
                other = self._otherwise(form, refused, others, tried)
                if other is None:
                    where = f"{self.sender.who} at {self.sender.served.endpoint}"
                    raise Missing(f"{where} refuses the request, however it is put: {first}") from first
                form = other
            except Overflow as overflow:
                messages = self._shorter(messages, overflow)
            except Declined as declined:
                raise self._none(f"the provider declines the prompt: {declined}", "refusal") from declined
            else:
                self.spent += spent
                if first is not None:
                    self._tell(self.dialect.form_of(self.request.name), form, "does not take")
                return heard, form

    def _otherwise(
        self, form: Form, refused: Refused, others: Iterator[Form], tried: set[tuple[Form, int]]
    ) -> Form | None:
        """The next way to put the request that was not tried yet, what the server has named first."""
        if (form, self._output()) not in tried:
            return form
        named = (form.without(blamed) for blamed in refused.blames)
        for other in chain(named, others):
            if other is not None and (other, self._output()) not in tried:
                return other
        return None

    def _ask(self, messages: list[Message]) -> Ask:
        return Ask(
            name=self.request.name,
            model=self.sender.served.model,
            messages=tuple(messages),
            shaped=self.shaped,
            seed=self.request.seed,
            temperature=self.sender.options.settings.temperature,
            max_output=self._output(),
            constrain=self.sender.served.constrain,
        )

    def _said(self, heard: Heard) -> str:
        """The text of an answer; raises NoAnswer when there is none."""
        self.text = clean(heard.text)
        if heard.refusal:
            raise self._none(f"the model refused: {heard.refusal[:500]}", "refusal")
        if heard.finish == "content_filter":
            raise self._none("the provider's content filter stopped the answer", "refusal")
        if not self.text.strip():
            if heard.cut:
                raise self._none("the answer was cut off at the length limit before it began", "length")
            raise self._none(f"the model gave no text (it ended with {heard.finish or 'nothing'!r})", "empty")
        return self.text

    def _told(self, text: str, misfit: Misfit, form: Form) -> list[Message]:
        """The model's own answer, and what is wrong with it."""
        schema = "" if form.mode in ("json", "prose") else f"\nThe schema: {self.shaped.text}"
        told = f"That does not fit the schema: {misfit}{schema}\nGive the whole answer again, as one JSON object."
        return [{"role": "assistant", "content": clean(text)[:_SHOWN]}, {"role": "user", "content": told}]

    def _learn(self, form: Form, lax: bool, fitted: bool) -> None:
        """Remember the form, or one that asks less where the server has not enforced the schema it was given."""
        if lax and not self.dialect.proven and form.mode in ("strict", "schema", "tool"):
            form = form.lower() or form
            fitted = False
        self.dialect.learn(self.request.name, form, fitted)

    def _rendered(self, room: int | None) -> Prompt:
        found = self.sender.options.render(self.request.name, self.request.context, room)
        return Prompt(clean(found.system), clean(found.user))

    def _first(self) -> list[Message]:
        return [{"role": "system", "content": self.prompt.system}, {"role": "user", "content": self.prompt.user}]

    def _shorter(self, messages: list[Message], overflow: Overflow) -> list[Message]:
        """The prompt again, in fewer characters; raises NoAnswer when that was done already or cannot be."""
        size = len(self.prompt.system) + len(self.prompt.user)
        self.dialect.context = overflow.context or self.dialect.context
        room = int(size * _SHORTER)
        if overflow.context and overflow.sent:
            # The server has counted this very text: its tokens are as long as they are.
            left = overflow.context - self._output() - _RESERVED
            room = min(size, int(size * left / overflow.sent * _MARGIN))
        if len(messages) > 2 or self.shortened or room < _SMALLEST:
            raise self._none(f"the prompt is longer than the model's context ({overflow})", "length") from overflow
        self.shortened = True
        self.prompt = self._rendered(room)
        return self._first()

    def _output(self) -> int:
        """At most so many tokens an answer: of a small context a third."""
        most = min(self.max_output, self.dialect.max_output or self.max_output)
        context = self.context or self.dialect.context
        return min(most, context // 3) if context else most

    def _room(self) -> int | None:
        """Characters that a prompt may have, where the context is known."""
        context = self.context or self.dialect.context
        if not context:
            return None
        left = (context - self._output() - _RESERVED) * _CHARACTERS
        return max(_SMALLEST, left - len(self.shaped.text))

    def _tell(self, was: Form, now: Form, how: str) -> None:
        if was.mode != now.mode:
            self.sender.options.tell(f"{self.sender.who} {how} {SAID[was.mode]}: trying {SAID[now.mode]}")

    def _none(self, message: str, why: Why) -> NoAnswer:
        said = f"{self.sender.who} gave no answer to {self.request.name}: {message}"
        return NoAnswer(said, why, tokens=self.spent, text=self.text, prompt=self.prompt)
