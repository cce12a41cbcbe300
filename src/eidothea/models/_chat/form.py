"""How a request is put on the wire, and the ways around what a server does not understand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Literal

from pydantic import BaseModel

from eidothea.models._chat.schema import strict
from eidothea.models._chat.served import Schema

Mode = Literal["strict", "schema", "tool", "json", "prose"]
Message = dict[str, str]

MODES: tuple[Mode, ...] = ("strict", "schema", "tool", "json", "prose")
SAID = {
    "strict": "a strict JSON schema",
    "schema": "a JSON schema",
    "tool": "a tool call",
    "json": "JSON mode, the schema in the prompt",
    "prose": "plain text, the schema in the prompt",
}
_SLACK = 256  # tokens that a chat template adds around the messages, and then some for each message
_PER_MESSAGE = 16
_SCHEMA = 3  # times its length: templates indent the schema of a tool


@dataclass(frozen=True)
class Form:
    """What of the protocol is used. `mode` is how a structured answer is asked for; `limit` names the field that
    bounds the answer; `usage` asks for the token count at the end of a stream; without `system` the system message
    stands before the request in one message."""

    mode: Mode = "strict"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    seed: bool = True
    temperature: bool = True
    stream: bool = True
    usage: bool = True
    system: bool = True

    def lower(self) -> Form | None:
        """The same with the next mode that asks less of the server; None after the last."""
        place = MODES.index(self.mode) + 1
        return replace(self, mode=MODES[place]) if place < len(MODES) else None

    def without(self, blamed: str) -> Form | None:
        """The same without what a server has named as wrong; None when there is no other way to put it."""
        match blamed:
            case "mode":
                return self.lower()
            case "limit":
                return replace(self, limit="max_completion_tokens" if self.limit == "max_tokens" else "max_tokens")
            case _:
                off: dict[str, Any] = {blamed: False}
                return replace(self, **off) if getattr(self, blamed) else None

    def others(self) -> Iterator[Form]:
        """Every other way worth a try, the likeliest first, when a server says no and not to what."""
        form = self.lower()
        while form:
            yield form
            form = form.lower()
        for blamed in ("usage", "seed", "temperature", "limit", "stream", "system"):
            if other := self.without(blamed):
                yield other
        yield Form("prose", self.limit, seed=False, temperature=False, stream=False, usage=False, system=False)


@dataclass(frozen=True)
class Shaped:
    """The JSON schema of an answer as it is sent; `text` is how it stands in a prompt, `exact` its strict form."""

    schema: Schema
    text: str
    exact: Schema | None


@lru_cache(maxsize=256)
def shaped(answer: type[BaseModel], shape: Callable[[Schema], Schema]) -> Shaped:
    """The schema of an answer type, changed by `shape`; made once, since it is sent often."""
    schema = shape(answer.model_json_schema())
    return Shaped(schema, json.dumps(schema), strict(schema))


@dataclass(frozen=True)
class Ask:
    """One turn: what is sent whatever its form."""

    name: str
    model: str
    messages: tuple[Message, ...]
    shaped: Shaped
    seed: int
    temperature: float | None
    max_output: int
    constrain: Callable[[Schema], dict[str, Any]] | None = field(default=None, repr=False)

    def body(self, form: Form) -> dict[str, Any]:
        """The request's body."""
        messages = self._messages(form.mode)
        if not form.system:
            system, user, *rest = messages
            messages = [user | {"content": f"{system['content']}\n\n{user['content']}"}, *rest]
        body: dict[str, Any] = {"model": self.model, "messages": messages, form.limit: self.max_output}
        if form.seed:
            body["seed"] = self.seed
        if form.temperature and self.temperature is not None:
            body["temperature"] = self.temperature
        if form.stream:
            body["stream"] = True
            if form.usage:
                body["stream_options"] = {"include_usage": True}
        return body | self._structure(form.mode)

    @cached_property
    def worst_input(self) -> int:
        """No tokenizer makes more tokens than there are bytes, whatever the form."""
        sent = sum(len(m["content"].encode()) for m in self.messages)
        return sent + _SCHEMA * len(self.shaped.text) + _SLACK + _PER_MESSAGE * len(self.messages)

    def _messages(self, mode: Mode) -> list[Message]:
        messages = list(self.messages)
        if mode in ("json", "prose"):
            fence = " in a ```json fence" if mode == "prose" else ""
            told = f"\n\nAnswer with one JSON object{fence} that fits this JSON Schema:\n{self.shaped.text}"
            messages[1] = messages[1] | {"content": messages[1]["content"] + told}
        return messages

    def _structure(self, mode: Mode) -> dict[str, Any]:
        if mode == "tool":
            function = {"name": self.name, "description": "Give the answer.", "parameters": self.shaped.schema}
            chosen = {"type": "function", "function": {"name": self.name}}
            return {"tools": [{"type": "function", "function": function}], "tool_choice": chosen}
        if mode == "json":
            return {"response_format": {"type": "json_object"}}
        if mode == "prose":
            return {}
        if self.constrain is not None:
            return self.constrain(self.shaped.schema)
        exact = self.shaped.exact if mode == "strict" else None
        named = {"strict": True, "schema": exact} if exact else {"schema": self.shaped.schema}
        return {"response_format": {"type": "json_schema", "json_schema": {"name": self.name} | named}}
